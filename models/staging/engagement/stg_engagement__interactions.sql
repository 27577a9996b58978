{{ deduplicated(
    'engagement', 'interactions',
    columns=[
        'interaction_id', 'customer_id', 'channel', 'interaction_type', 'duration_seconds',
        'occurred_on', 'occurred_at',
    ],
) }}
