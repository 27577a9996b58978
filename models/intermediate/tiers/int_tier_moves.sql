{# Which input moved a customer's points most, in the direction of the change, since the reference
   review. #}
with reviews as (
    select * from {{ ref('int_reviews_to_explain') }}
),

-- one for each of the two joins: what is read twice would be copied whole
latest as (
    select * from {{ ref('int_score_inputs') }}
),

reference as (
    select * from {{ ref('int_score_inputs') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

profile as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

places as (
    select
        {{ of_each_input("max(case when input = 'INPUT' then sort_order end) as INPUT_place")
            | join(',\n        ') }}
    from profile
),

-- an input counts when the customer's own measure moved that way too: others moving is no reason of
-- one's own
compared as (
    select
        reviews.customer_key,
        reviews.period_index,
        reviews.direction,

        reference.monetary - latest.monetary as monetary_fall,
        {%- for component, input in score_inputs() %}
        case
            when {{ own_rise(input, 'latest', 'reference') }} * reviews.direction > 0
                then
                    reviews.direction
                    * {{ point_rise(input, 'latest', 'reference', 'weights', 'reference_weights') }}
        end as {{ input }}_points,
        {%- endfor %}

        reviews.period_end,
        reviews.reference_period_end
    from reviews
    inner join latest
        on
            reviews.customer_key = latest.customer_key
            and reviews.period_index = latest.period_index
    inner join reference
        on
            reviews.customer_key = reference.customer_key
            and reviews.reference_index = reference.period_index
    inner join weight_sets as weights
        on
            latest.period_index = weights.period_index
            and latest.known_inputs = weights.known_inputs
    inner join weight_sets as reference_weights
        on
            reference.period_index = reference_weights.period_index
            and reference.known_inputs = reference_weights.known_inputs
),

largest as (
    select
        *,
        greatest({{ of_each_input('INPUT_points') | join(', ') }}) as largest_points
    from compared
),

-- of equal moves the first in the seed's order
placed as (
    select
        largest.*,
        least(
            {{ of_each_input('case when INPUT_points = largest_points then INPUT_place end')
                | join(',\n            ') }}
        ) as place
    from largest
    cross join places
    where largest.largest_points > 0
),

named as (
    select
        placed.customer_key,
        placed.period_index,
        profile.input as moved_input,

        placed.direction,
        placed.monetary_fall,

        placed.period_end,
        placed.reference_period_end
    from placed
    inner join profile on placed.place = profile.sort_order
)

select * from named
