with rfm as (
    select * from {{ ref('int_current_rfm') }}
)

select
    customer_id,
    cast(r_score as {{ string_type() }})
    || cast(f_score as {{ string_type() }})
    || cast(m_score as {{ string_type() }}) as rfm_cell,
    segment_code,
    value_matrix_code,

    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,

    period_end as as_of_date
from rfm
