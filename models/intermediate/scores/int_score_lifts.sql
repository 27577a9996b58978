{# What it would take: the input that would add most points to a customer's score if it were at
   100. #}
with points as (
    select * from {{ ref('int_score_points') }}
),

lifts as (
    select
        *,
        weight * (100 - normalised_value) as lift_points
    from points
),

-- of equal lifts the first in the seed's order
largest as (
    select
        customer_key,
        {{ first_in_order('input', 'lift_points desc, sort_order') }}
            as largest_lift_input,

        cast(max(lift_points) as decimal(18, 14)) as largest_lift_points
    from lifts
    where lift_points > 0
    group by customer_key
)

select * from largest
