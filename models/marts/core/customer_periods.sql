with scores as (
    select * from {{ ref('int_customer_scores') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

stages as (
    select * from {{ ref('int_lifecycle_stages') }}
),

reasons as (
    select * from {{ ref('int_tier_reasons') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }} where is_kept is not true
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

tier_names as (
    select distinct tier_rank, tier_code from {{ ref('tiers') }}
)

select
    customers.customer_id,
    case
        when scores.customer_status = 'active' then cells.segment_code else scores.customer_status
    end as segment_code,
    stages.lifecycle_stage,
    qualified_tiers.tier_code as qualified_tier_code,
    held_tiers.tier_code,
    states.change_type,
    reasons.reason_code,

    scores.recency_days,
    scores.frequency,
    scores.monetary,
    scores.period_revenue,
    scores.r_score,
    scores.f_score,
    scores.m_score,
    {%- for component in customer_tiering.score_components() %}
    scores.{{ component }}_score,
    {%- endfor %}
    scores.management_score,
    scores.score_coverage,
    states.tier_rank,
    states.tier_rank_before,

    periods.is_open_period,
    periods.is_open_period as is_provisional,
    states.is_newly_lapsed,

    periods.period_start,
    periods.period_end
from scores
inner join states
    on scores.customer_key = states.customer_key and scores.period_index = states.period_index
inner join stages
    on scores.customer_key = stages.customer_key and scores.period_index = stages.period_index
inner join customers on scores.customer_key = customers.customer_key
inner join periods on scores.period_index = periods.period_index
left join reasons
    on scores.customer_key = reasons.customer_key and scores.period_index = reasons.period_index
left join cells
    on
        scores.r_score = cells.r_score
        and scores.f_score = cells.f_score
        and scores.m_score = cells.m_score
left join tier_names as qualified_tiers on states.qualified_rank = qualified_tiers.tier_rank
left join tier_names as held_tiers on states.tier_rank = held_tiers.tier_rank
