{# Why a review moved, protected or spared a tier; a review that kept it needs no reason. #}
with reviews as (
    select * from {{ ref('int_tier_states') }} where change_type is not null and change_type <> 'keep'
),

states as (
    select * from {{ ref('int_tier_states') }}
),

scores as (
    select * from {{ ref('int_customer_scores') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

ladders as (
    select * from {{ ref('int_tier_ladders') }}
),

ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

entries as (
    select
        customer_key,
        period_index,
        row_number() over (partition by customer_key order by period_index) as entry_number
    from reviews
    where change_type = 'enter'
),

-- a review beside the newest one before it that entered, kept or raised the tier
compared as (
    select
        reviews.customer_key,
        reviews.period_index,
        reviews.change_type,
        reviews.tier_rank,
        case when reviews.change_type = 'upgrade' then 1 else -1 end as direction,
        reviews.reference_index,
        scores.customer_status,
        scores.management_score,
        scores.frequency,
        scores.monetary,
        reference.monetary as reference_monetary
        {%- for input, measure, better in customer_tiering.score_measures() %},
        case
            when
                scores.{{ input }}_normalised is not null
                and reference.{{ input }}_normalised is not null
                and (scores.{{ measure }} - reference.{{ measure }}) * {{ better }}
                * (case when reviews.change_type = 'upgrade' then 1 else -1 end) > 0
                then (
                    scores.{{ input }}_normalised * weight_sets.{{ input }}_weight
                    - reference.{{ input }}_normalised * reference_weights.{{ input }}_weight
                ) * (case when reviews.change_type = 'upgrade' then 1 else -1 end)
        end as {{ input }}_move,
        weight_sets.{{ input }}_sort_order
        {%- endfor %}
    from reviews
    inner join scores
        on reviews.customer_key = scores.customer_key and reviews.period_index = scores.period_index
    inner join scores as reference
        on
            reviews.customer_key = reference.customer_key
            and reviews.reference_index = reference.period_index
    left join weight_sets on scores.known_inputs = weight_sets.known_inputs
    left join weight_sets as reference_weights on reference.known_inputs = reference_weights.known_inputs
    where reviews.change_type <> 'enter'
),

largest as (
    select
        *,
        greatest(
            {%- for input, measure, better in customer_tiering.score_measures() %}
            {{ input }}_move{{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_move
    from compared
),

first_largest as (
    select
        *,
        least(
            {%- for input, measure, better in customer_tiering.score_measures() %}
            case when {{ input }}_move = largest_move then {{ input }}_sort_order end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_sort_order
    from largest
),

moved as (
    select
        customer_key,
        period_index,
        change_type,
        reference_index,
        customer_status,
        reference_monetary - monetary as monetary_fall,
        case
            {%- for input, measure, better in customer_tiering.score_measures() %}
            when largest_move > 0 and {{ input }}_move = largest_move and {{ input }}_sort_order = largest_sort_order
                then '{{ input }}'
            {%- endfor %}
        end as moved_input,
        direction
    from first_largest
),

refunds as (
    select
        moved.customer_key,
        moved.period_index,
        sum(ledger.refunded_amount) as refunded_amount
    from moved
    inner join periods on moved.period_index = periods.period_index
    inner join periods as reference on moved.reference_index = reference.period_index
    inner join ledger
        on
            moved.customer_key = ledger.customer_key
            and ledger.known_date > reference.period_end
            and ledger.known_date <= periods.period_end
            and ledger.known_date > ledger.order_date
    where moved.moved_input = 'monetary' and moved.direction = -1
    group by 1, 2
),

-- the same review once more, by the rules that held at the reference
under_older_rules as (
    select
        compared.customer_key,
        compared.period_index,
        compared.customer_status,
        compared.change_type as actual_change_type,
        compared.tier_rank as actual_rank,
        {{ customer_tiering.highest_rank(['enter'], 'compared', 'ladders') }} as qualified_rank,
        {{ customer_tiering.highest_rank(['keep', 'enter'], 'compared', 'ladders') }} as kept_rank,
        periods.is_open_period,
        periods.is_last_of_year,
        extract(year from periods.period_end) > extract(year from periods.previous_period_end) as crosses_year,
        {{ customer_tiering.month_day('periods.period_end') }} as month_day,
        {{ customer_tiering.month_day('periods.previous_period_end') }} as previous_month_day
    from compared
    inner join periods on compared.period_index = periods.period_index
    inner join periods as reference on compared.reference_index = reference.period_index
    inner join ladders on reference.rules_valid_from = ladders.version_valid_from
    where periods.rules_valid_from <> reference.rules_valid_from
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
        {{ customer_tiering.tier_change_type('before', 'review') }} as change_type
    from under_older_rules as review
    inner join states as before
        on review.customer_key = before.customer_key and review.period_index = before.period_index + 1
),

rule_changes as (
    select
        customer_key,
        period_index
    from decided_again
    where
        change_type <> actual_change_type
        or {{ customer_tiering.tier_rank_after('change_type', 'decided_again', 'decided_again') }} <> actual_rank
),

reasoned as (
    select
        reviews.customer_key,
        reviews.period_index,
        case
            when reviews.change_type = 'enter' and entries.entry_number = 1 then 'first_order'
            when reviews.change_type = 'enter' then 'return_order'
            when reviews.change_type = 'leave' and moved.customer_status = 'prospect' then 'orders_undone'
            when reviews.change_type = 'leave' and moved.customer_status = 'lapsed' then 'inactivity'
            when rule_changes.customer_key is not null then 'rule_change'
            when 2 * refunds.refunded_amount > moved.monetary_fall then 'refund'
            when moved.moved_input is not null and moved.direction = 1 then moved.moved_input || '_up'
            when moved.moved_input is not null then moved.moved_input || '_down'
            else 'relative_position'
        end as reason_code
    from reviews
    left join entries
        on reviews.customer_key = entries.customer_key and reviews.period_index = entries.period_index
    left join moved on reviews.customer_key = moved.customer_key and reviews.period_index = moved.period_index
    left join refunds
        on reviews.customer_key = refunds.customer_key and reviews.period_index = refunds.period_index
    left join rule_changes
        on
            reviews.customer_key = rule_changes.customer_key
            and reviews.period_index = rule_changes.period_index
)

select * from reasoned
