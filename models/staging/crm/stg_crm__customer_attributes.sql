{{ deduplicated(
    'crm', 'customer_attributes',
    columns=['customer_id', 'attribute', 'value', 'updated_at'],
) }}
