{{ deduplicated(
    'crm', 'customer_merges',
    columns=['from_customer_id', 'into_customer_id', 'merged_at'],
) }}
