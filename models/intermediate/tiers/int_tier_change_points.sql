{# The points of each input at the reviews that changed, protected or spared a tier, and at those
   that they are compared with. #}
with changes as (
    select
        states.customer_key,
        states.period_index,
        -- before who enters nothing was earned: the review just before is compared
        case
            when states.change_type = 'enter' then states.period_index - 1
            else states.reference_index
        end as reference_index
    from {{ ref('int_tier_states') }} as states
    inner join {{ ref('int_periods_to_compute') }} as periods
        on states.period_index = periods.period_index
    where states.change_type is not null and states.change_type <> 'keep'
),

compared_reviews as (
    select
        customer_key,
        period_index
    from changes
    union distinct
    select
        customer_key,
        reference_index as period_index
    from changes
),

-- made first: joined last, the inputs and signals of all reviews would be joined to all else
inputs as {{ computed_once() }} (
    select inputs.*
    from {{ ref('int_score_inputs') }} as inputs
    inner join compared_reviews
        on
            inputs.customer_key = compared_reviews.customer_key
            and inputs.period_index = compared_reviews.period_index
),

signals as {{ computed_once() }} (
    select signals.*
    from {{ ref('int_customer_signals') }} as signals
    inner join compared_reviews
        on
            signals.customer_key = compared_reviews.customer_key
            and signals.period_index = compared_reviews.period_index
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

profile as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

by_input as (
    select
        changes.customer_key,
        changes.period_index,
        reference.period_index as reference_index,
        {{ unnested(of_each_input("'INPUT'")) }} as input,

        {{ unnested(input_values('reference', 'reference_signals', 'reference_measures')) }}
            as input_value_before,
        {{ unnested(input_values('latest', 'latest_signals', 'latest_measures')) }}
            as input_value_after,
        {{ unnested(of_each_input(input_points('INPUT', 'reference', 'reference_weights'))) }}
            as points_before,
        {{ unnested(of_each_input(input_points('INPUT', 'latest', 'latest_weights'))) }}
            as points_after,
        {{ unnested(own_rises('latest', 'reference')) }} as own_rise
    from changes
    inner join inputs as latest
        on
            changes.customer_key = latest.customer_key
            and changes.period_index = latest.period_index
    left join weight_sets as latest_weights
        on
            latest.period_index = latest_weights.period_index
            and latest.known_inputs = latest_weights.known_inputs
    left join signals as latest_signals
        on
            latest.customer_key = latest_signals.customer_key
            and latest.period_index = latest_signals.period_index
    left join {{ ref('int_measure_changes') }} as latest_measures
        on
            latest.customer_key = latest_measures.customer_key
            and latest.period_index >= latest_measures.period_index
            and (
                latest_measures.next_change_index is null
                or latest.period_index < latest_measures.next_change_index
            )
    inner join inputs as reference
        on
            changes.customer_key = reference.customer_key
            and changes.reference_index = reference.period_index
    left join weight_sets as reference_weights
        on
            reference.period_index = reference_weights.period_index
            and reference.known_inputs = reference_weights.known_inputs
    left join signals as reference_signals
        on
            reference.customer_key = reference_signals.customer_key
            and reference.period_index = reference_signals.period_index
    left join {{ ref('int_measure_changes') }} as reference_measures
        on
            reference.customer_key = reference_measures.customer_key
            and reference.period_index >= reference_measures.period_index
            and (
                reference_measures.next_change_index is null
                or reference.period_index < reference_measures.next_change_index
            )
),

-- an unknown input has no points
compared as (
    select
        by_input.customer_key,
        by_input.period_index,
        by_input.reference_index,
        profile.component,
        by_input.input,

        by_input.input_value_before,
        by_input.input_value_after,
        coalesce(by_input.points_before, 0) as points_before,
        coalesce(by_input.points_after, 0) as points_after,
        by_input.own_rise
    from by_input
    inner join profile on by_input.input = profile.input
),

moved as (
    select
        *,
        points_after - points_before as points_change
    from compared
    where points_after <> points_before
)

select * from moved
