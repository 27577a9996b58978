{{ deduplicated(
    'shop', 'order_items',
    columns=['order_id', 'product_id', 'line_number', 'quantity', 'line_amount'],
) }}
