-- One row per tier: sums, and on how many customers each of them rests.
with reviews as (
    select
        tier_code,
        count(*) filter (monetary <> 0) as with_revenue,
        count(*) filter (monetary <> 0 and lifecycle_stage = 'at_risk') as with_revenue_at_risk
    from marts.customer_periods
    where period_end = $as_of
    group by tier_code
),

targets as (
    select
        tier_code,
        count(*) filter (revenue_to_next > 0) as with_growth
    from marts.customer_tiers
    group by tier_code
)

select
    economics.tier_code,
    economics.customers,
    coalesce(reviews.with_revenue, 0) as with_revenue,
    coalesce(reviews.with_revenue_at_risk, 0) as with_revenue_at_risk,
    coalesce(targets.with_growth, 0) as with_growth,
    economics.served_customers as with_contacts,
    economics.window_revenue as revenue,
    economics.growth_potential as growth,
    economics.service_contacts as contacts,
    economics.recommended_budget_share as budget
from marts.tier_economics as economics
left join reviews on economics.tier_code = reviews.tier_code
left join targets on economics.tier_code = targets.tier_code
where economics.as_of_date = $as_of
order by economics.tier_rank desc
