{{ deduplicated(
    'crm', 'erasure_requests',
    columns=['customer_id', 'requested_at'],
) }}
