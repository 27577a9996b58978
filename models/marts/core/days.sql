with orders as (
    select * from {{ ref('int_orders') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

bounds as (
    select
        cast(date_trunc('month', min(orders.order_date)) as date) as first_day,
        max(as_of.as_of_date) as last_day
    from orders
    inner join as_of on orders.order_date <= as_of.as_of_date
    where orders.is_entered
),

days as (
    {{ date_series('first_day', 'last_day', '1 day') }}
    from bounds
)

select day as date_day
from days
