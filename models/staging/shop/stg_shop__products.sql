{{ deduplicated(
    'shop', 'products',
    columns=['product_id', 'product_name', 'category', 'product_type'],
) }}
