{{ customer_tiering.deduplicated(
    ref('base_crm__erasure_requests'),
    key=['customer_id'],
    newest_by='requested_at',
    columns=['customer_id', 'requested_at'],
) }}
