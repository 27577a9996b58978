{# The reviews that the rules in force at the reference review would have decided otherwise. #}
with reviews as (
    select * from {{ ref('int_reviews_to_explain') }}
),

scores as (
    select * from {{ ref('int_customer_scores') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

reference_periods as (
    select period_index, rules_valid_from from {{ ref('int_review_periods') }}
),

ladders as (
    select * from {{ ref('int_tier_ladders') }}
),

under_older_rules as (
    select
        reviews.customer_key,
        reviews.period_index,
        reviews.change_type as actual_change_type,
        reviews.tier_rank as actual_rank,
        {{ highest_rank('enter', 'scores', 'ladders') }} as qualified_rank,
        {{ kept_rank('scores', 'ladders') }} as kept_rank,
        scores.customer_status <> 'prospect' as has_orders,
        periods.is_open_period,
        periods.is_last_of_year,
        {{ days_of_year('periods') }}
    from reviews
    inner join scores
        on reviews.customer_key = scores.customer_key and reviews.period_index = scores.period_index
    inner join periods on reviews.period_index = periods.period_index
    inner join reference_periods on reviews.reference_index = reference_periods.period_index
    inner join ladders on reference_periods.rules_valid_from = ladders.version_valid_from
    where periods.rules_valid_from <> reference_periods.rules_valid_from
),

decided_again as (
    select
        review.customer_key,
        review.period_index,
        review.actual_change_type,
        review.actual_rank,
        review.qualified_rank,
        review.kept_rank,
        before.tier_rank,
        {{ tier_change_type('before', 'review', 'review') }} as change_type
    from under_older_rules as review
    inner join states as before
        on
            review.customer_key = before.customer_key
            and review.period_index - 1 = before.period_index
),

decided_otherwise as (
    select
        customer_key,
        period_index
    from decided_again
    where
        change_type <> actual_change_type
        or {{ tier_rank_after('change_type', 'decided_again', 'decided_again') }}
        <> actual_rank
)

select * from decided_otherwise
