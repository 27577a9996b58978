select
    opportunity_id as order_id,
    1 as line_number,
    product_id,
    cast(1 as decimal(18, 3)) as quantity,
    close_value as line_amount
from deals
