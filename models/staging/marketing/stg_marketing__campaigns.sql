{{ deduplicated(
    'marketing', 'campaigns',
    columns=[
        'campaign_id', 'campaign_name', 'channel', 'goal', 'target_tier_code', 'cost_amount',
        'starts_on', 'ends_on',
    ],
) }}
