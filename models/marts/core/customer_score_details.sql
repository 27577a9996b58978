with scores as (
    select * from {{ ref('int_current_scores') }} where customer_status <> 'prospect'
),

profile as (
    select component, input
    from {{ ref('score_weights') }}
    where profile = '{{ var("score_profile") }}' and input is not null
),

weights as (
    select * from {{ ref('int_score_weights') }}
),

computed as (
    {%- for component, input in customer_tiering.score_inputs() %}
    select
        customer_id,
        '{{ component }}' as component,
        '{{ input }}' as input,
        cast({{ customer_tiering.input_value(input) }} as decimal(20, 4)) as input_value,
        {{ input }}_normalised as normalised_value
    from scores
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    scores.customer_id,
    profile.component,
    profile.input,

    case when computed.normalised_value is not null then computed.input_value end as input_value,
    computed.normalised_value,
    cast(coalesce(weights.weight, 0) as decimal(13, 12)) as weight,
    cast(coalesce(computed.normalised_value * weights.weight, 0) as decimal(18, 14)) as points
from scores
cross join profile
left join computed
    on
        scores.customer_id = computed.customer_id
        and profile.component = computed.component
        and profile.input = computed.input
left join weights
    on
        scores.known_inputs = weights.known_inputs
        and profile.component = weights.component
        and profile.input = weights.input
