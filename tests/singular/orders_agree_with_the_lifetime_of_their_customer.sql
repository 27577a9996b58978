{# Two ways to the same money: order by order, and through the ledger. Who has orders that count has
   one that is the first. #}
with orders as (
    select
        customer_id,
        sum(net_amount) as net_amount,
        sum(case when is_valid then 1 else 0 end) as valid_orders,
        sum(case when is_first_order then 1 else 0 end) as first_orders
    from {{ ref('orders') }}
    where customer_id is not null
    group by customer_id
)

select
    coalesce(customers.customer_id, orders.customer_id) as customer_id,
    customers.lifetime_revenue,
    orders.net_amount,
    customers.lifetime_orders,
    orders.valid_orders,
    orders.first_orders
from {{ ref('customers') }} as customers
full outer join orders on customers.customer_id = orders.customer_id
where
    customers.customer_id is null
    or customers.lifetime_revenue <> coalesce(orders.net_amount, 0)
    or customers.lifetime_orders <> coalesce(orders.valid_orders, 0)
    or coalesce(orders.first_orders, 0) <> least(customers.lifetime_orders, 1)
