{{ customer_tiering.deduplicated(
    ref('base_shop__order_items'),
    key=['order_id', 'line_number'],
    columns=['order_id', 'product_id', 'line_number', 'quantity', 'line_amount'],
) }}
