{# Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with orders as (
    select * from {{ ref('int_orders') }}
),

entered as (
    select
        order_id,
        customer_key,
        channel,

        order_amount_reporting,

        order_date
    from orders
    where is_entered and customer_key is not null
)

select * from entered
