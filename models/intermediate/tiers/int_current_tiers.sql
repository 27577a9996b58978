{# The tier of every customer at the newest period. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

reasons as (
    select * from {{ ref('int_tier_reasons') }}
),

scores as (
    select * from {{ ref('int_current_scores') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

current_tiers as (
    select
        scores.customer_id,
        states.customer_key,
        scores.customer_status,
        states.change_type,
        reasons.reason_code,

        states.tier_rank,
        states.qualified_rank,
        states.previous_rank,
        states.reviews_held,
        scores.management_score,
        scores.frequency,
        scores.monetary,

        periods.is_open_period,

        since.period_end as tier_since,
        periods.period_end,
        periods.calendar_period_end,
        periods.previous_period_end,
        periods.rules_valid_from
    from scores
    inner join states
        on scores.customer_key = states.customer_key and scores.period_index = states.period_index
    inner join periods on states.period_index = periods.period_index
    left join periods as since on states.since_index = since.period_index
    left join reasons
        on states.customer_key = reasons.customer_key and states.period_index = reasons.period_index
),

with_next_tier as (
    select
        current_tiers.*,
        named.tier_code,
        qualified.tier_code as qualified_tier_code,
        previous.tier_code as previous_tier_code,
        held.keep_score,
        next_tier.enter_score as next_enter_score,
        coalesce(next_tier.enter_min_orders, 0) as next_min_orders,
        next_tier.enter_min_revenue as next_min_revenue,
        next_tier.tier_code is not null as has_next_tier
    from current_tiers
    left join tier_rules as held
        on
            current_tiers.tier_rank = held.tier_rank
            and current_tiers.rules_valid_from = held.version_valid_from
    left join tier_names as named on current_tiers.tier_rank = named.tier_rank
    left join tier_names as qualified on current_tiers.qualified_rank = qualified.tier_rank
    left join tier_names as previous
        on coalesce(current_tiers.previous_rank, 0) = previous.tier_rank
    left join tier_rules as next_tier
        on
            current_tiers.tier_rank + 1 = next_tier.tier_rank
            and current_tiers.rules_valid_from = next_tier.version_valid_from
)

select * from with_next_tier
