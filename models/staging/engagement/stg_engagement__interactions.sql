{{ customer_tiering.deduplicated(
    ref('base_engagement__interactions'),
    key=['interaction_id'],
    columns=[
        'interaction_id', 'customer_id', 'channel', 'interaction_type', 'duration_seconds',
        'occurred_on', 'occurred_at',
    ],
) }}
