{{ deduplicated(
    'survey', 'survey_responses',
    columns=[
        'response_id', 'customer_id', 'survey_type', 'score', 'responded_on', 'responded_at',
    ],
) }}
