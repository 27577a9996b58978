{# The weights that hold for each set of known inputs: unknown ones give theirs to the known. #}
with known_sets as (
    select distinct known_inputs from {{ ref('int_score_inputs') }}
),

weights as (
    select *
    from {{ ref('score_weights') }}
    where profile = '{{ var("score_profile") }}'
),

component_weights as (
    select component, sort_order, weight from weights where input is null
),

inputs as (
    {%- for component, input, is_known in customer_tiering.score_inputs() %}
    select
        '{{ component }}' as component,
        '{{ input }}' as input,
        {{ 2 ** loop.index0 }} as input_bit
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

known as (
    select
        known_sets.known_inputs,
        weights.component,
        weights.input,
        weights.sort_order,
        weights.weight
    from known_sets
    inner join inputs on (known_sets.known_inputs & inputs.input_bit) > 0
    inner join weights on inputs.component = weights.component and inputs.input = weights.input
    where weights.weight > 0
),

input_totals as (
    select
        known_inputs,
        component,
        sum(weight) as known_weight
    from known
    group by known_inputs, component
),

input_shares as (
    select
        known.known_inputs,
        known.component,
        known.input,
        known.sort_order,
        known.weight,
        {{ customer_tiering.millionths('known.weight', 'input_totals.known_weight') }}
            as share_millionths,
        row_number() over (
            partition by known.known_inputs, known.component
            order by known.weight desc, known.sort_order
        ) as place
    from known
    inner join input_totals
        on
            known.known_inputs = input_totals.known_inputs
            and known.component = input_totals.component
),

component_shares as (
    select
        input_totals.known_inputs,
        component_weights.component,
        component_weights.weight,
        {{ customer_tiering.millionths(
            'component_weights.weight',
            'sum(component_weights.weight) over (partition by input_totals.known_inputs)',
        ) }} as share_millionths,
        row_number() over (
            partition by input_totals.known_inputs
            order by component_weights.weight desc, component_weights.sort_order
        ) as place
    from input_totals
    inner join component_weights on input_totals.component = component_weights.component
    where component_weights.weight > 0
),

-- what rounding left over goes to the heaviest, so that shares add up to one
input_weights as (
    select
        known_inputs,
        component,
        input,
        sort_order,
        weight,
        {{ customer_tiering.share_with_remainder('known_inputs, component') }} as share
    from input_shares
),

component_weights_known as (
    select
        known_inputs,
        component,
        weight,
        {{ customer_tiering.share_with_remainder('known_inputs') }} as share
    from component_shares
),

effective as (
    select
        input_weights.known_inputs,
        input_weights.component,
        input_weights.input,
        input_weights.sort_order,

        input_weights.share as input_share,
        coalesce(component_weights_known.share, 0) as component_share,
        coalesce(component_weights_known.weight, 0) * input_weights.weight as nominal_weight
    from input_weights
    left join component_weights_known
        on
            input_weights.known_inputs = component_weights_known.known_inputs
            and input_weights.component = component_weights_known.component
)

select
    known_inputs,
    component,
    input,
    sort_order,

    cast(input_share as decimal(7, 6)) as input_share,
    cast(component_share as decimal(7, 6)) as component_share,
    cast(input_share * component_share as decimal(13, 12)) as weight,
    cast(nominal_weight as decimal(13, 12)) as nominal_weight
from effective
