select
    order_id,
    line_number,
    product_id,
    quantity,
    line_amount
from lines
