with scores as (
    select * from {{ ref('int_customer_scores') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

ladders as (
    select * from {{ ref('int_tier_ladders') }}
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

reviewed as (
    select
        scores.*,
        periods.rules_valid_from,
        case
            when scores.frequency > 0
                then {{ score_with_an_order('scores', 'weight_sets') }}
        end as score_with_an_order
    from scores
    inner join periods on scores.period_index = periods.period_index
    left join weight_sets
        on
            scores.period_index = weight_sets.period_index
            and scores.known_inputs = weight_sets.known_inputs
    left join frequency_edges on scores.period_index = frequency_edges.period_index
),

qualified as (
    select
        reviewed.customer_key,
        reviewed.review_number,
        reviewed.period_index,

        reviewed.management_score,
        reviewed.score_with_an_order,
        {{ highest_rank('enter', 'reviewed', 'ladders') }} as qualified_rank,
        {{ kept_rank('reviewed', 'ladders') }} as kept_rank,
        {{ highest_rank(
            'enter', 'reviewed', 'ladders', 'score_with_an_order', 1
        ) }} as rank_with_an_order,

        reviewed.recency_days is not null as has_orders,
        reviewed.frequency > 0 as is_active
    from reviewed
    inner join ladders on reviewed.rules_valid_from = ladders.version_valid_from
)

select * from qualified
