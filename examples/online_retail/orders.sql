select
    order_id,
    customer_id,
    ordered_at,
    'completed' as status,
    order_amount,
    'online' as channel
from invoices
