{{ customer_tiering.deduplicated(
    ref('base_crm__customer_merges'),
    key=['from_customer_id', 'into_customer_id'],
    newest_by='merged_at',
    columns=['from_customer_id', 'into_customer_id', 'merged_at'],
) }}
