with inputs as (
    select * from {{ ref('int_score_inputs') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

component_scores as (
    select
        inputs.*,
        {{ customer_status('inputs.recency_days', 'inputs.frequency') }}
            as customer_status,
        {%- for component in score_components() %}
        weight_sets.{{ component }}_share,
        cast(
            case
                when weight_sets.{{ component }}_share is not null
                    then
                        0
                        {%- for of_component, input in score_inputs()
                            if of_component == component %}
                        + coalesce(inputs.{{ input }}_normalised, 0)
                        * weight_sets.{{ input }}_input_share
                        {%- endfor %}
            end as decimal(11, 8)
        ) as {{ component }}_score,
        {%- endfor %}
        weight_sets.score_coverage
    from inputs
    left join weight_sets
        on
            inputs.period_index = weight_sets.period_index
            and inputs.known_inputs = weight_sets.known_inputs
),

scored as (
    select
        *,
        cast(
            case
                when
                    {%- for component in score_components() %}
                    {{ '+ ' if not loop.first -}}
                    coalesce({{ component }}_share, 0)
                    {%- endfor %}
                    > 0
                    then (
                        {%- for component in score_components() %}
                        {{ '+ ' if not loop.first -}}
                        coalesce({{ component }}_score * {{ component }}_share, 0)
                        {%- endfor %}
                    )
            end as decimal(18, 14)
        ) as management_score
    from component_scores
)

select
    customer_key,
    period_index,
    review_number,
    customer_status,
    known_inputs,

    recency_days,
    frequency,
    monetary,
    period_revenue,
    tenure_days,
    order_days,
    last_gap_days,
    own_gap_days,
    categories,
    r_score,
    f_score,
    m_score,
    {%- for component, input in score_inputs() %}
    {{ input }}_normalised,
    {%- endfor %}
    {%- for component in score_components() %}
    {{ component }}_score,
    {%- endfor %}
    management_score,
    score_coverage
from scored
