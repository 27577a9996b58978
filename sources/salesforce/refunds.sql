-- One row per reduction order: it takes a part of an earlier order back. Opportunities have no
--   refunds.
select
    id as refund_id,
    original_order_id as order_id,
    coalesce(
        read_timestamp(activated_date, 'UTC'), read_timestamp(effective_date, 'UTC')
    ) as refunded_at,
    abs(read_amount(total_amount)) as refund_amount,
    source_file,
    source_line
from activated_orders
where read_boolean(is_reduction_order)
