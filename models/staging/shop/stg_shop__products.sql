{{ customer_tiering.deduplicated(
    ref('base_shop__products'),
    key=['product_id'],
    columns=['product_id', 'product_name', 'category', 'product_type'],
) }}
