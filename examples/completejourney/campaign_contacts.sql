select
    read_id(recipients.campaign_id) as campaign_id,
    read_id(recipients.household_id) as customer_id,
    cast(campaign_descriptions.start_date as date) as contacted_at,
    'treatment' as contact_group
from recipients
left join campaign_descriptions on recipients.campaign_id = campaign_descriptions.campaign_id
