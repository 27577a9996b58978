{# Once a campaign has begun, nobody can be held out of it any more. #}
with campaigns as (
    select * from {{ ref('int_campaigns') }}
),

campaign_customers as (
    select * from {{ ref('int_campaign_customers') }}
),

with_holdout as (
    select distinct campaign_id
    from campaign_customers
    where assigned_by = 'holdout_assignments' or contact_group = 'holdout'
),

customers as (
    select
        campaign_id,
        count(*) as customers
    from campaign_customers
    group by campaign_id
)

select
    'no_holdout_assigned' as warning_code,
    campaigns.campaign_id as subject,

    coalesce(customers.customers, 0) as observed
from campaigns
left join with_holdout on campaigns.campaign_id = with_holdout.campaign_id
left join customers on campaigns.campaign_id = customers.campaign_id
where
    campaigns.has_begun
    and not campaigns.is_over
    and campaigns.holdout_percent > 0
    and with_holdout.campaign_id is null
