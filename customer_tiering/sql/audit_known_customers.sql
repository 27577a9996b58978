with customers_before as (
    select customer_id, first_order_on from before_database.marts.customers
    where first_order_on is not null
),

customers_now as (
    select customer_id, first_order_on from now_database.marts.customers
    where first_order_on is not null
),

counted_before as (
    select count(*) as customers from customers_before
),

counted_now as (
    select count(*) as customers from customers_now
),

counted_in_both as (
    select count(*) as customers
    from customers_before
    inner join customers_now
        on
            customers_before.customer_id = customers_now.customer_id
            and customers_before.first_order_on = customers_now.first_order_on
)

select
    least(counted_before.customers, counted_now.customers) as fewest,
    counted_in_both.customers as shared
from counted_before
cross join counted_now
cross join counted_in_both
