with reviews as (
    select * from {{ ref('int_lifecycle_stages') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

reasons as (
    select * from {{ ref('int_tier_reasons') }}
),

habits as (
    select * from {{ ref('int_period_habits') }}
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
)

select
    customers.customer_id,
    reviews.segment_code,
    reviews.lifecycle_stage,
    habits.demand_type,
    habits.favourite_category,
    habits.favourite_channel,
    habits.channel_mix,
    qualified_tiers.tier_code as qualified_tier_code,
    held_tiers.tier_code,
    tiers_before.tier_code as tier_code_before,
    states.change_type,
    reasons.reason_code,

    reviews.recency_days,
    reviews.frequency,
    reviews.monetary,
    reviews.period_revenue,
    reviews.r_score,
    reviews.f_score,
    reviews.m_score,
    {%- for component in score_components() %}
    reviews.{{ component }}_score,
    {%- endfor %}
    reviews.management_score,
    reviews.score_coverage,
    states.tier_rank,
    states.tier_rank_before,
    signals.nps_answer,
    coalesce(signals.csat_sum, 0) as csat_sum,
    coalesce(signals.csat_answers, 0) as csat_answers,
    signals.newest_balance,
    signals.average_balance,

    periods.is_open_period,
    periods.is_open_period as is_provisional,
    states.is_active_before
    and states.has_orders
    and not states.is_active as is_newly_lapsed,
    states.is_active_before,

    periods.period_start,
    periods.period_end
from reviews
inner join states
    on reviews.customer_key = states.customer_key and reviews.period_index = states.period_index
inner join customers on reviews.customer_key = customers.customer_key
inner join periods on reviews.period_index = periods.period_index
left join reasons
    on reviews.customer_key = reasons.customer_key and reviews.period_index = reasons.period_index
left join tier_names as qualified_tiers on states.qualified_rank = qualified_tiers.tier_rank
left join tier_names as held_tiers on states.tier_rank = held_tiers.tier_rank
left join tier_names as tiers_before on states.tier_rank_before = tiers_before.tier_rank
left join signals
    on reviews.customer_key = signals.customer_key and reviews.period_index = signals.period_index
left join habits
    on reviews.customer_key = habits.customer_key and reviews.period_index = habits.period_index
