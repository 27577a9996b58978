{# What it would take: the input that would add most points to a customer's score if it were at
   100. #}
with scores as (
    select * from {{ ref('int_current_scores') }} where management_score is not null
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

lifts as (
    select
        {%- for component, input, is_known in score_inputs() %}
        cast(
            (100 - scores.{{ input }}_normalised) * weight_sets.{{ input }}_weight
            as decimal(18, 14)
        ) as {{ input }}_lift,
        weight_sets.{{ input }}_sort_order,
        {%- endfor %}
        scores.customer_key
    from scores
    inner join weight_sets
        on
            scores.period_index = weight_sets.period_index
            and scores.known_inputs = weight_sets.known_inputs
),

largest as (
    select
        *,
        cast(greatest(
            {%- for component, input, is_known in score_inputs() %}
            coalesce({{ input }}_lift, 0){{ ',' if not loop.last }}
            {%- endfor %}
        ) as decimal(18, 14)) as largest_lift_points
    from lifts
),

-- of equal lifts the first in the seed's order
first_largest as (
    select
        *,
        least(
            {%- for component, input, is_known in score_inputs() %}
            case
                when {{ input }}_lift = largest_lift_points then {{ input }}_sort_order
            end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_sort_order
    from largest
    where largest_lift_points > 0
),

named as (
    select
        customer_key,
        case
            {%- for component, input, is_known in score_inputs() %}
            when
                {{ input }}_lift = largest_lift_points
                and {{ input }}_sort_order = largest_sort_order
                then '{{ input }}'
            {%- endfor %}
        end as largest_lift_input,

        largest_lift_points
    from first_largest
)

select * from named
