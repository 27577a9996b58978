{{ deduplicated(
    'shop', 'orders',
    columns=[
        'order_id', 'customer_id', 'currency_code', 'channel', 'store_id', 'order_status',
        'order_amount', 'discount_amount', 'is_test', 'order_date', 'cancelled_on', 'returned_on',
        'ordered_at', 'cancelled_at', 'returned_at',
    ],
) }}
