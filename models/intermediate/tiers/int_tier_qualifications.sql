with scores as (
    select * from {{ ref('int_customer_scores') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

ladders as (
    select * from {{ ref('int_tier_ladders') }}
),

qualified as (
    select
        scores.customer_key,
        scores.review_number,
        scores.period_index,

        {{ customer_tiering.highest_rank(['enter'], 'scores', 'ladders') }} as qualified_rank,
        {{ customer_tiering.highest_rank(['keep', 'enter'], 'scores', 'ladders') }} as kept_rank,

        scores.recency_days is not null as has_orders,
        scores.frequency > 0 as is_active
    from scores
    inner join periods on scores.period_index = periods.period_index
    inner join ladders on periods.rules_valid_from = ladders.version_valid_from
)

select * from qualified
