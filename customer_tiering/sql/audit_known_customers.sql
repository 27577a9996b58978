with customers_before as (
    select customer_id, first_order_on from before_database.marts.customers
    where first_order_on is not null
),

customers_now as (
    select customer_id, first_order_on from now_database.marts.customers
    where first_order_on is not null
)

select
    least(
        (select count(*) from customers_before), (select count(*) from customers_now)
    ) as fewest,
    count(*) as shared
from customers_before
inner join customers_now
    on
        customers_before.customer_id = customers_now.customer_id
        and customers_before.first_order_on = customers_now.first_order_on
