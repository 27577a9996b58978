select
    order_id,
    customer_id,
    cast(order_date as timestamp) as ordered_at,
    'completed' as status,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount,
    'online' as channel
from purchases
group by order_id, customer_id, order_date
