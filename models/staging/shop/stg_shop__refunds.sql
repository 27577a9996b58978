{{ deduplicated(
    'shop', 'refunds',
    columns=['refund_id', 'order_id', 'refund_amount', 'refunded_on', 'refunded_at'],
) }}
