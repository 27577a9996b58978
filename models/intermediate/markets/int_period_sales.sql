{# What was sold in each period by channel and by category, as known at its end. #}
with periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

category_revenue as (
    select revenue.*
    from {{ ref('int_category_revenue') }} as revenue
    inner join periods on revenue.period_index = periods.period_index
),

changes as (
    select * from {{ ref('int_measure_changes') }}
),

new_customers as (
    select
        changes.customer_key,
        changes.period_index
    from changes
    inner join periods on changes.period_index = periods.period_index
    where changes.first_order_on >= periods.period_start
),

-- an order has one channel and one line that is the largest
by_customer as (
    select
        'channel' as dimension,
        channel as dimension_value,
        customer_key,
        period_index,
        sum(main_orders) as orders,
        sum(revenue) as revenue
    from category_revenue
    group by 2, 3, 4
    union all
    select
        'category' as dimension,
        category as dimension_value,
        customer_key,
        period_index,
        sum(orders) as orders,
        sum(revenue) as revenue
    from category_revenue
    group by 2, 3, 4
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
