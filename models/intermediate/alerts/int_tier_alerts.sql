{# Tiers that are about to change: a downgrade ahead, or one more order and the next tier is
   reached. #}
with scores as (
    select * from {{ ref('int_customer_scores') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

frequency_edges as (
    select
        period_index,
        edge_1 as frequency_edge_1,
        edge_2 as frequency_edge_2,
        edge_3 as frequency_edge_3,
        edge_4 as frequency_edge_4
    from {{ ref('int_rfm_score_edges') }}
    where metric = 'frequency'
),

rules as (
    select * from {{ ref('int_alert_rules') }} where alert_code = 'one_order_to_next_tier'
),

below_keep as (
    select
        states.customer_key,
        states.period_index,
        states.tier_rank,
        states.reviews_held,
        states.reviews_in_grace,
        states.since_month_day,
        periods.rules_valid_from,
        periods.period_end,
        case
            when periods.is_open_period then periods.calendar_period_end
            else {{ customer_tiering.add_periods('periods.period_end', '1') }}
        end as next_review_on
    from states
    inner join periods on states.period_index = periods.period_index
    where states.is_below_keep
),

falling as (
    select
        below_keep.customer_key,
        below_keep.period_index,
        'downgrade_ahead' as alert_code,
        {{ customer_tiering.figure(
            customer_tiering.first_downgrade_on('below_keep') ~ ' - below_keep.period_end'
        ) }} as measure,
        {{ customer_tiering.points_missing('tier_rules.keep_score', 'scores.management_score') }}
            as detail,
        scores.management_score
    from below_keep
    inner join scores
        on
            below_keep.customer_key = scores.customer_key
            and below_keep.period_index = scores.period_index
    inner join tier_rules
        on
            below_keep.tier_rank = tier_rules.tier_rank
            and below_keep.rules_valid_from = tier_rules.version_valid_from
),

-- an order today, of whatever amount: recency, frequency and the repeat rate move, all else is held
with_an_order as (
    select
        scores.customer_key,
        scores.period_index,
        scores.management_score,
        next_tier.enter_score,
        scores.management_score
        + weight_sets.recency_weight * (100 - scores.recency_normalised)
        + weight_sets.frequency_weight * (
            25 * {{ customer_tiering.edges_below('frequency', '(scores.frequency + 1)') }}
            - scores.frequency_normalised
        )
        + weight_sets.repeat_rate_weight * (
            {{ customer_tiering.repeat_rate_normalised('(scores.frequency + 1)') }}
            - scores.repeat_rate_normalised
        ) as score_with_an_order
    from scores
    inner join states
        on scores.customer_key = states.customer_key and scores.period_index = states.period_index
    inner join periods on scores.period_index = periods.period_index
    inner join frequency_edges on scores.period_index = frequency_edges.period_index
    inner join tier_rules as next_tier
        on
            states.tier_rank + 1 = next_tier.tier_rank
            and periods.rules_valid_from = next_tier.version_valid_from
    inner join weight_sets on scores.known_inputs = weight_sets.known_inputs
    where
        scores.frequency > 0
        and scores.frequency + 1 >= coalesce(next_tier.enter_min_orders, 0)
        and scores.monetary >= coalesce(next_tier.enter_min_revenue, scores.monetary)
),

rising as (
    select
        with_an_order.customer_key,
        with_an_order.period_index,
        'one_order_to_next_tier' as alert_code,
        {{ customer_tiering.figure(
            'floor(100 * (with_an_order.score_with_an_order - with_an_order.enter_score)) * 0.01'
        ) }} as measure,
        {{ customer_tiering.points_missing(
            'with_an_order.enter_score', 'with_an_order.management_score'
        ) }} as detail,
        with_an_order.management_score
    from with_an_order
    cross join rules
    -- what no rule asks for need not look up the score before
    where with_an_order.score_with_an_order - with_an_order.enter_score >= rules.least_measure
),

about_to_change as (
    select * from falling
    union all
    select * from rising
),

candidates as (
    select
        about_to_change.customer_key,
        about_to_change.period_index,
        about_to_change.alert_code,
        about_to_change.measure,
        about_to_change.detail,
        {{ customer_tiering.figure('about_to_change.management_score') }} as value_now,
        {{ customer_tiering.figure('scores_before.management_score') }} as value_before
    from about_to_change
    left join scores as scores_before
        on
            about_to_change.customer_key = scores_before.customer_key
            and about_to_change.period_index = scores_before.period_index + 1
)

select * from candidates
