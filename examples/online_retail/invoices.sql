select
    invoice_no as order_id,
    customer_id,
    -- 43 invoices were typed across the turn of a minute.
    min(invoice_date) as ordered_at,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount
from lines
where line_type = 'sale'
group by invoice_no, customer_id
