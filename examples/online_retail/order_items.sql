select
    invoice_no as order_id,
    line_number,
    stock_code as product_id,
    cast(quantity as decimal(18, 3)) as quantity,
    line_amount
from lines
where line_type = 'sale'
