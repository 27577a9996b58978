{# What each tier brings, could bring and costs now; one without customers is there too. #}
with tier_names as (
    select * from {{ ref('int_tier_names') }}
),

tiers as (
    select * from {{ ref('int_current_tiers') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

stages as (
    select
        all_stages.customer_key,
        all_stages.lifecycle_stage
    from {{ ref('int_lifecycle_stages') }} as all_stages
    inner join newest_period on all_stages.period_index = newest_period.period_index
),

service_contacts as (
    select * from {{ ref('int_service_contacts') }}
),

campaign_costs as (
    select
        tier_rank,
        sum(campaign_cost) as campaign_cost
    from {{ ref('int_campaign_costs') }}
    group by 1
),

retention as (
    select * from {{ ref('int_tier_retention') }}
),

described as (
    select
        tiers.*,
        {{ revenue_to_next() }} as revenue_to_next,
        stages.lifecycle_stage = 'at_risk' as is_at_risk
    from tiers
    inner join stages on tiers.customer_key = stages.customer_key
),

counted as (
    select
        tier_rank,
        count(*) as customers,
        sum(case when frequency >= 1 then 1 else 0 end) as active_customers,
        sum(case when is_at_risk then 1 else 0 end) as customers_at_risk,
        sum(monetary) as window_revenue,
        sum(case when is_at_risk then monetary else 0 end) as revenue_at_risk,
        sum(revenue_to_next) as growth_potential
    from described
    group by 1
),

totals as (
    select
        tier_names.tier_code,

        tier_names.tier_rank,
        cast(coalesce(counted.customers, 0) as bigint) as customers,
        cast(coalesce(counted.active_customers, 0) as bigint) as active_customers,
        cast(coalesce(counted.customers_at_risk, 0) as bigint) as customers_at_risk,
        cast(coalesce(counted.window_revenue, 0) as decimal(18, 2)) as window_revenue,
        cast(coalesce(counted.revenue_at_risk, 0) as decimal(18, 2)) as revenue_at_risk,
        cast(coalesce(counted.growth_potential, 0) as decimal(18, 2)) as growth_potential,
        cast(coalesce(service_contacts.served_customers, 0) as bigint) as served_customers,
        cast(coalesce(service_contacts.service_contacts, 0) as bigint) as service_contacts,
        cast(coalesce(campaign_costs.campaign_cost, 0) as decimal(18, 2)) as campaign_cost,
        retention.customers as customers_before,
        retention.customers_retained,

        newest_period.period_end as as_of_date
    from tier_names
    inner join newest_period on newest_period.period_index > 0
    left join counted on tier_names.tier_rank = counted.tier_rank
    left join service_contacts on tier_names.tier_rank = service_contacts.tier_rank
    left join campaign_costs on tier_names.tier_rank = campaign_costs.tier_rank
    left join retention on tier_names.tier_rank = retention.tier_rank
)

select * from totals
