{# int_score_weights with one row per period and set of known inputs, so that a customer's row meets
   it in one join. #}
with weights as (
    select * from {{ ref('int_score_weights') }}
),

weight_sets as (
    select
        period_index,
        known_inputs,

        {%- for component, input in score_inputs() %}
        cast(
            coalesce(max(case when input = '{{ input }}' then input_share end), 0)
            as decimal(7, 6)
        ) as {{ input }}_input_share,
        cast(
            coalesce(max(case when input = '{{ input }}' then weight end), 0) as decimal(13, 12)
        ) as {{ input }}_weight,
        {%- endfor %}
        {%- for component in score_components() %}
        max(case when component = '{{ component }}' then component_share end)
            as {{ component }}_share,
        {%- endfor %}
        cast(sum(nominal_weight) as decimal(15, 14)) as score_coverage
    from weights
    group by period_index, known_inputs
)

select * from weight_sets
