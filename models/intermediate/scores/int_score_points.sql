{# The scores of the newest period input by input: value, weight and points. #}
with scores as (
    select * from {{ ref('int_current_scores') }} where customer_status <> 'prospect'
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

profile as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

by_input as (
    select
        scores.customer_id,
        scores.customer_key,
        scores.period_index,
        {{ unnested(of_each_input("'INPUT'")) }} as input,

        {{ unnested(input_values()) }} as input_value,
        {{ unnested(of_each_input('scores.INPUT_normalised')) }} as normalised_value,
        {{ unnested(of_each_input('weight_sets.INPUT_weight')) }} as weight
    from scores
    inner join weight_sets
        on
            scores.period_index = weight_sets.period_index
            and scores.known_inputs = weight_sets.known_inputs
    left join signals
        on
            scores.customer_key = signals.customer_key
            and scores.period_index = signals.period_index
),

weighted as (
    select
        by_input.customer_id,
        by_input.customer_key,
        by_input.period_index,
        profile.component,
        by_input.input,
        profile.sort_order,

        by_input.input_value,
        by_input.normalised_value,
        by_input.weight,
        coalesce(by_input.weight * by_input.normalised_value, 0) as points
    from by_input
    inner join profile on by_input.input = profile.input
)

select * from weighted
