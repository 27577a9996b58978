-- The newest campaigns as wholes, with how many customers ordered in each group.
select
    campaign_id,
    campaign_name,
    starts_on,
    effect_status,
    treated,
    held_out,
    treated_responses,
    held_out_responses,
    effect,
    effect_low,
    effect_high,
    -- without an interval it is hardly more than chance
    case
        when incremental_revenue_low is not null then incremental_revenue
    end as incremental_revenue,
    incremental_revenue_low,
    incremental_revenue_high,
    cost
from marts.campaign_effects
where dimension = 'all'
order by starts_on desc, campaign_id
limit $campaigns
