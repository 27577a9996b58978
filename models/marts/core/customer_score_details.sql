with scores as (
    select * from {{ ref('int_current_scores') }}
),

weights as (
    select * from {{ ref('int_score_weights') }}
),

values_by_input as (
    {%- for component, input in customer_tiering.score_inputs() %}
    select
        customer_id,
        known_inputs,
        '{{ component }}' as component,
        '{{ input }}' as input,
        cast({{ customer_tiering.input_value(input) }} as decimal(20, 4)) as input_value,
        {{ input }}_normalised as normalised_value
    from scores
    where customer_status <> 'prospect'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    values_by_input.customer_id,
    values_by_input.component,
    values_by_input.input,

    values_by_input.input_value,
    values_by_input.normalised_value,
    case
        when values_by_input.normalised_value is not null then coalesce(weights.weight, 0)
    end as weight,
    cast(values_by_input.normalised_value * coalesce(weights.weight, 0) as decimal(18, 14)) as points
from values_by_input
left join weights
    on
        values_by_input.known_inputs = weights.known_inputs
        and values_by_input.component = weights.component
        and values_by_input.input = weights.input
