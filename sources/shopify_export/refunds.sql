-- One row per order with a refund.
--
-- Dated: the export says how much was given back, not when. It is dated by the cancellation, else
--   by the order.
select
    order_id || '-refund' as refund_id,
    order_id,
    coalesce("Cancelled at", "Created at") as refunded_at,
    "Refunded Amount" as refund_amount,
    source_file,
    source_line
from order_heads
-- An amount that cannot be read is kept, so that it is rejected and listed.
where "Refunded Amount" is not null and coalesce(read_amount("Refunded Amount"), -1) <> 0
