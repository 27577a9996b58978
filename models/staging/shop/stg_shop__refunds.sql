{{ customer_tiering.deduplicated(
    ref('base_shop__refunds'),
    key=['refund_id'],
    columns=['refund_id', 'order_id', 'refund_amount', 'refunded_on', 'refunded_at'],
) }}
