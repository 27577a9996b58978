select
    opportunity_id as order_id,
    account as customer_id,
    -- the day on which the deal was won
    close_date as ordered_at,
    'completed' as status,
    close_value as order_amount,
    'field_sales' as channel
from deals
