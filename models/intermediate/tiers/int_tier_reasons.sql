{# Why a review moved, protected or spared a tier; a review that kept it needs no reason. #}
with reviews as (
    select states.*
    from {{ ref('int_tier_states') }} as states
    inner join {{ ref('int_periods_to_compute') }} as periods
        on states.period_index = periods.period_index
    where states.change_type is not null and states.change_type <> 'keep'
),

moves as (
    select * from {{ ref('int_tier_moves') }}
),

rule_changes as (
    select * from {{ ref('int_tier_rule_changes') }}
),

refunds as (
    select *
    from {{ ref('int_customer_ledger') }}
    where refunded_amount > 0 and known_date > order_date
),

refunded as (
    select
        moves.customer_key,
        moves.period_index
    from moves
    inner join refunds
        on
            moves.customer_key = refunds.customer_key
            and moves.reference_period_end < refunds.known_date
            and moves.period_end >= refunds.known_date
    where moves.moved_input = 'monetary' and moves.direction = -1
    group by moves.customer_key, moves.period_index, moves.monetary_fall
    having 2 * sum(refunds.refunded_amount) > moves.monetary_fall
),

reasoned as (
    select
        reviews.customer_key,
        reviews.period_index,
        case
            when reviews.change_type = 'enter' and reviews.is_first_tier then 'first_order'
            when reviews.change_type = 'enter' then 'return_order'
            when reviews.change_type = 'leave' and not reviews.has_orders
                then 'orders_undone'
            when reviews.change_type = 'leave' and not reviews.is_active
                then 'inactivity'
            when rule_changes.customer_key is not null then 'rule_change'
            when refunded.customer_key is not null then 'refund'
            when moves.direction = 1 then moves.moved_input || '_up'
            when moves.direction = -1 then moves.moved_input || '_down'
            else 'relative_position'
        end as reason_code
    from reviews
    left join moves
        on reviews.customer_key = moves.customer_key and reviews.period_index = moves.period_index
    left join refunded
        on
            reviews.customer_key = refunded.customer_key
            and reviews.period_index = refunded.period_index
    left join rule_changes
        on
            reviews.customer_key = rule_changes.customer_key
            and reviews.period_index = rule_changes.period_index
)

select * from reasoned
