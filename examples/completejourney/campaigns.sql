select
    read_id(campaign_id) as campaign_id,
    'Campaign ' || campaign_id || ' (' || campaign_type || ')' as campaign_name,
    cast(start_date as date) as starts_on,
    cast(end_date as date) as ends_on
from campaign_descriptions
