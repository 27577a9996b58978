with orders as (
    select * from {{ ref('int_orders') }}
),

newest_order as (
    select max(order_date) as order_date from orders where is_entered
),

as_of as (
    select
        {% if var('as_of_date') | string == 'latest' -%}
        order_date
        {%- elif var('as_of_date') | string == 'yesterday' -%}
        {{ customer_tiering.run_date() }} - 1
        {%- else -%}
        date '{{ customer_tiering.iso_date("as_of_date", var("as_of_date")) }}'
        {%- endif %} as as_of_date
    from newest_order
)

select * from as_of
