{# Which input moved a customer's points most, in the direction of the change, since the reference
   review. #}
with reviews as (
    select * from {{ ref('int_reviews_to_explain') }}
),

inputs as (
    select * from {{ ref('int_score_inputs') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

profile as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

rises as (
    select
        reviews.customer_key,
        reviews.period_index,
        reviews.direction,
        {{ unnested(of_each_input("'INPUT'")) }} as input,

        reference.monetary - latest.monetary as monetary_fall,
        {{ unnested(own_rises('latest', 'reference')) }} as own_rise,
        {{ unnested(point_rises('latest', 'reference', 'weights', 'reference_weights')) }}
            as point_rise,

        reviews.period_end,
        reviews.reference_period_end
    from reviews
    inner join inputs as latest
        on
            reviews.customer_key = latest.customer_key
            and reviews.period_index = latest.period_index
    inner join inputs as reference
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

-- an input counts when the customer's own measure moved that way too: others moving is no reason of
-- one's own
moves as (
    select
        rises.*,
        profile.sort_order,
        rises.point_rise * rises.direction as points
    from rises
    inner join profile on rises.input = profile.input
    where rises.own_rise * rises.direction > 0 and rises.point_rise * rises.direction > 0
),

-- of equal moves the first in the seed's order
largest as (
    select
        customer_key,
        period_index,
        {{ first_in_order('input', 'points desc, sort_order') }} as moved_input,

        direction,
        monetary_fall,

        period_end,
        reference_period_end
    from moves
    group by
        customer_key, period_index, direction, monetary_fall, period_end, reference_period_end
)

select * from largest
