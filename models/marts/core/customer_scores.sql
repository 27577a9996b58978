with scores as (
    select * from {{ ref('int_current_scores') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
)

select
    scores.customer_id,
    {% for component in customer_tiering.score_components() %}
    scores.{{ component }}_score,
    {%- endfor %}
    scores.management_score,
    scores.score_coverage,
    scores.star_rating,

    as_of.as_of_date
from scores
cross join as_of
