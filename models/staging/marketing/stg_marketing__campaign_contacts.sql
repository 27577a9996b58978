{{ deduplicated(
    'marketing', 'campaign_contacts',
    columns=['campaign_id', 'customer_id', 'contact_group', 'contacted_on', 'contacted_at'],
) }}
