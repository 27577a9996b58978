-- a publication of an earlier release has no rules_valid_from
with review_periods as (
    select * from marts.review_periods
    union all by name
    select cast(null as date) as rules_valid_from
    where false
),

ladder as (
    select
        tiers.tier_code,
        tiers.label_en,
        tiers.label_zh
    from marts.tiers
    inner join review_periods on tiers.version_valid_from = review_periods.rules_valid_from
    where review_periods.period_end = $as_of
)

select
    tier_summary.tier_code,
    tier_summary.tier_rank,
    coalesce(ladder.label_en, labels.label_en, tier_summary.tier_code) as label_en,
    coalesce(ladder.label_zh, labels.label_zh, '') as label_zh,
    tier_summary.customers,
    tier_summary.customers / nullif(sum(tier_summary.customers) over (), 0) as customer_share,
    tier_summary.window_revenue,
    tier_summary.window_revenue_share
from marts.tier_summary
left join ladder on tier_summary.tier_code = ladder.tier_code
left join marts.labels
    on labels.kind = 'tier' and tier_summary.tier_code = labels.code
where
    tier_summary.period_end = $as_of
    and (ladder.tier_code is not null or tier_summary.customers > 0)
order by tier_summary.tier_rank desc
