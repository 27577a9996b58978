with scores as (
    select * from {{ ref('int_current_scores') }}
),

lifts as (
    select * from {{ ref('int_score_lifts') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
)

select
    scores.customer_id,
    lifts.largest_lift_input,

    {% for component in score_components() -%}
    scores.{{ component }}_score,
    {% endfor -%}
    scores.management_score,
    scores.score_coverage,
    scores.star_rating,
    lifts.largest_lift_points,

    as_of.as_of_date
from scores
cross join as_of
left join lifts on scores.customer_key = lifts.customer_key
