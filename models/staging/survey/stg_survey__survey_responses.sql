{{ customer_tiering.deduplicated(
    ref('base_survey__survey_responses'),
    key=['response_id'],
    columns=[
        'response_id', 'customer_id', 'survey_type', 'score', 'responded_on', 'responded_at',
    ],
) }}
