select
    order_id,
    customer_id,
    ordered_at,
    'completed' as status,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount,
    cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
    'store' as channel,
    store_id
from lines
group by order_id, customer_id, ordered_at, store_id
