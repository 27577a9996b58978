with scores as (
    select * from {{ ref('int_current_scores') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
)

select
    scores.customer_id,
    cast(scores.r_score as {{ string_type() }})
    || cast(scores.f_score as {{ string_type() }})
    || cast(scores.m_score as {{ string_type() }}) as rfm_cell,
    scores.segment_code,
    scores.value_matrix_code,

    scores.recency_days,
    scores.frequency,
    scores.monetary,
    scores.r_score,
    scores.f_score,
    scores.m_score,

    as_of.as_of_date
from scores
cross join as_of
