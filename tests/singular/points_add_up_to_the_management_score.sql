{# Exactly, to the last decimal: a score is nothing but its points. #}
with points as (
    select
        customer_id,
        sum(points) as points
    from {{ ref('customer_score_details') }}
    group by customer_id
)

select
    coalesce(scores.customer_id, points.customer_id) as customer_id,
    scores.management_score,
    points.points
from {{ ref('customer_scores') }} as scores
full outer join points on scores.customer_id = points.customer_id
where coalesce(scores.management_score, 0) <> coalesce(points.points, 0)
