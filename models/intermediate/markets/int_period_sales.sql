{# What was sold in each period by channel and by category, as known at its end. #}
with lines as (
    select * from {{ ref('int_period_lines') }}
),

changes as (
    select * from {{ ref('int_measure_changes') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

new_customers as (
    select
        changes.customer_key,
        changes.period_index
    from changes
    inner join periods on changes.period_index = periods.period_index
    where changes.first_order_on >= periods.period_start
),

orders_of_values as (
    select
        'channel' as dimension,
        channel as dimension_value,
        order_id,
        customer_key,
        period_index,
        order_revenue as revenue
    from lines
    where place = 1
    union all
    select
        'category' as dimension,
        category as dimension_value,
        order_id,
        customer_key,
        period_index,
        cast(sum(part_cents) as decimal(18, 0)) * 0.01 as revenue
    from lines
    group by 2, 3, 4, 5
),

by_customer as (
    select
        dimension,
        dimension_value,
        customer_key,
        period_index,
        count(*) as orders,
        sum(revenue) as revenue
    from orders_of_values
    group by 1, 2, 3, 4
),

sales as (
    select
        by_customer.dimension,
        by_customer.dimension_value,
        by_customer.period_index,
        count(*) as customers,
        cast(sum(by_customer.orders) as bigint) as orders,
        cast(sum(by_customer.revenue) as decimal(18, 2)) as revenue,
        count(new_customers.customer_key) as new_customers
    from by_customer
    left join new_customers
        on
            by_customer.customer_key = new_customers.customer_key
            and by_customer.period_index = new_customers.period_index
    group by 1, 2, 3
)

select * from sales
