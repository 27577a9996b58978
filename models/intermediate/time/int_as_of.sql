with orders as (
    select * from {{ ref('int_orders') }}
),

as_of as (
    select
        {% if var('as_of_date') | string == 'latest' -%}
        max(order_date)
        {%- elif var('as_of_date') | string == 'yesterday' -%}
        {{ customer_tiering.run_date() }} - 1
        {%- else -%}
        date '{{ customer_tiering.iso_date("as_of_date", var("as_of_date")) }}'
        {%- endif %} as as_of_date
    from orders
    where is_entered
)

select max(as_of_date) as as_of_date from as_of
