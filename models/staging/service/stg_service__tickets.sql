{{ deduplicated(
    'service', 'tickets',
    columns=[
        'ticket_id', 'customer_id', 'ticket_type', 'severity', 'satisfaction_score', 'opened_on',
        'closed_on', 'opened_at', 'closed_at',
    ],
) }}
