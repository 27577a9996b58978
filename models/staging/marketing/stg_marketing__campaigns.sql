{{ deduplicated(
    'marketing', 'campaigns',
    columns=[
        'campaign_id', 'campaign_name', 'channel', 'goal', 'target_tier_code', 'cost_amount',
        'holdout_percent', 'starts_on', 'ends_on',
    ],
) }}
