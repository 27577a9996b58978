{# Which input moved a customer's points most, in the direction of the change, since the reference
   review. #}
with reviews as (
    select * from {{ ref('int_reviews_to_explain') }}
),

reference_inputs as (
    select * from {{ ref('int_score_inputs') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

-- an input counts when the customer's own measure moved that way too: others moving is no reason of
-- one's own
compared as (
    select
        reviews.customer_key,
        reviews.period_index,
        reviews.direction,
        reviews.period_end,
        reviews.reference_period_end,
        {%- for input, measure, better in score_measures() %}
        case
            when
                reviews.{{ input }}_normalised is not null
                and reference.{{ input }}_normalised is not null
                and (reviews.{{ measure }} - reference.{{ measure }})
                * {{ better }} * reviews.direction > 0
                then (
                    {{ points_moved(input) }}
                ) * reviews.direction
        end as {{ input }}_move,
        weights.{{ input }}_sort_order,
        {%- endfor %}
        reference.monetary - reviews.monetary as monetary_fall
    from reviews
    inner join reference_inputs as reference
        on
            reviews.customer_key = reference.customer_key
            and reviews.reference_index = reference.period_index
    left join weight_sets as weights
        on
            reviews.period_index = weights.period_index
            and reviews.known_inputs = weights.known_inputs
    left join weight_sets as reference_weights
        on
            reference.period_index = reference_weights.period_index
            and reference.known_inputs = reference_weights.known_inputs
),

largest as (
    select
        *,
        greatest(
            {%- for input, measure, better in score_measures() %}
            {{ input }}_move{{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_move
    from compared
),

-- of equal moves the first in the seed's order
first_largest as (
    select
        *,
        least(
            {%- for input, measure, better in score_measures() %}
            case
                when {{ input }}_move = largest_move then {{ input }}_sort_order
            end{{ ',' if not loop.last }}
            {%- endfor %}
        ) as largest_sort_order
    from largest
    where largest_move > 0
),

moved as (
    select
        customer_key,
        period_index,
        case
            {%- for input, measure, better in score_measures() %}
            when {{ input }}_move = largest_move and {{ input }}_sort_order = largest_sort_order
                then '{{ input }}'
            {%- endfor %}
        end as moved_input,

        direction,
        monetary_fall,

        period_end,
        reference_period_end
    from first_largest
)

select * from moved
