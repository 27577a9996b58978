-- Cancellations to refunds. A cancellation does not say which invoice it takes back, so it is
-- matched line by line, in the order in which the lines became known.
select
    lines.invoice_no || '-' || read_id(lines.line_number) as refund_id,
    lines.customer_id,
    lines.stock_code,
    lines.unit_price,
    -lines.quantity as quantity,
    -lines.line_amount as refund_amount,
    lines.invoice_date as cancelled_at
from lines
cross join choices
where
    lines.line_type = 'cancellation'
    and lines.customer_id is not null
    and choices.has_cancellations
