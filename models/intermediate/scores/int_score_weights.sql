{# The weights that hold in each period for each set of known inputs: unknown ones give theirs to
   the known, and so do those that speak of few customers. #}
with known_sets as (
    select period_index, known_inputs from {{ ref('int_score_inputs') }}
    -- of a group of companies only what follows from its orders is known, a trend or not
    {%- for known_inputs in order_input_sets() %}
    union
    select period_index, {{ known_inputs }} as known_inputs
    from {{ ref('int_newest_period') }} where period_index is not null
    {%- endfor %}
),

coverage as (
    select * from {{ ref('int_input_coverage') }}
),

weights as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

component_weights as (
    select component, sort_order, weight from weights where input is null
),

inputs as (
    {%- for component, input in score_inputs() %}
    select
        '{{ component }}' as component,
        '{{ input }}' as input,
        {{ 2 ** loop.index0 }} as input_bit
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- all inputs but those from interactions have full weight where they are known
known as (
    select
        known_sets.period_index,
        known_sets.known_inputs,
        weights.component,
        weights.input,
        weights.sort_order,
        weights.weight,
        coalesce(coverage.coverage_percent, 100) as coverage_percent,
        weights.weight * coalesce(coverage.coverage_percent, 100) as covered_weight
    from known_sets
    inner join inputs on (known_sets.known_inputs & inputs.input_bit) > 0
    inner join weights on inputs.component = weights.component and inputs.input = weights.input
    left join coverage
        on
            known_sets.period_index = coverage.period_index
            and inputs.input = coverage.input
    where weights.weight > 0
),

known_components as (
    select
        known.period_index,
        known.known_inputs,
        known.component,
        component_weights.sort_order,
        component_weights.weight,
        sum(known.covered_weight) as covered_weight_of_inputs,
        component_weights.weight * max(known.coverage_percent) as covered_weight
    from known
    inner join component_weights on known.component = component_weights.component
    group by 1, 2, 3, 4, 5
),

input_shares as (
    select
        known.*,
        {{ millionths(
            'known.covered_weight', 'known_components.covered_weight_of_inputs'
        ) }} as share_millionths,
        row_number() over (
            partition by known.period_index, known.known_inputs, known.component
            order by known.covered_weight desc, known.sort_order
        ) as place
    from known
    inner join known_components
        on
            known.period_index = known_components.period_index
            and known.known_inputs = known_components.known_inputs
            and known.component = known_components.component
),

component_shares as (
    select
        *,
        {{ millionths(
            'covered_weight',
            'sum(covered_weight) over (partition by period_index, known_inputs)',
        ) }} as share_millionths,
        row_number() over (
            partition by period_index, known_inputs
            order by covered_weight desc, sort_order
        ) as place
    from known_components
    where weight > 0
),

-- the remainder of rounding goes to the heaviest, so that shares add up to one
input_weights as (
    select
        *,
        {{ share_with_remainder('period_index, known_inputs, component') }} as input_share
    from input_shares
),

weighted_components as (
    select
        *,
        {{ share_with_remainder('period_index, known_inputs') }} as component_share
    from component_shares
),

effective as (
    select
        input_weights.period_index,
        input_weights.known_inputs,
        input_weights.component,
        input_weights.input,
        input_weights.sort_order,

        input_weights.input_share,
        coalesce(weighted_components.component_share, 0) as component_share,
        coalesce(weighted_components.weight, 0) * input_weights.covered_weight * 0.01
            as nominal_weight
    from input_weights
    left join weighted_components
        on
            input_weights.period_index = weighted_components.period_index
            and input_weights.known_inputs = weighted_components.known_inputs
            and input_weights.component = weighted_components.component
)

select
    period_index,
    known_inputs,
    component,
    input,
    sort_order,

    cast(input_share as decimal(7, 6)) as input_share,
    cast(component_share as decimal(7, 6)) as component_share,
    cast(input_share * component_share as decimal(13, 12)) as weight,
    cast(nominal_weight as decimal(15, 14)) as nominal_weight
from effective
