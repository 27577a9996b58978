-- what the models in a work database decide of each reviewed customer at the newest period
with newest_period as (
    select max(period_index) as period_index from intermediate.int_review_periods
),

stages as (
    select
        all_stages.customer_key,
        all_stages.lifecycle_stage
    from intermediate.int_lifecycle_stages as all_stages
    inner join newest_period on all_stages.period_index = newest_period.period_index
)

select
    tiers.customer_id,
    coalesce(tiers.tier_code, 'none') as tier_code,
    coalesce(tiers.qualified_tier_code, 'none') as qualified_tier_code,
    scores.segment_code,
    scores.value_matrix_code,
    stages.lifecycle_stage,

    coalesce(tiers.tier_rank, 0) as tier_rank,
    scores.management_score,
    scores.r_score,
    scores.f_score,
    scores.m_score,
    coalesce(scores.monetary, 0) as window_revenue
from intermediate.int_current_tiers as tiers
inner join intermediate.int_current_scores as scores
    on tiers.customer_key = scores.customer_key
left join stages on tiers.customer_key = stages.customer_key
