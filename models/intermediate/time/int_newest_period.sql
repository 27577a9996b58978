with periods as (
    select * from {{ ref('int_review_periods') }}
)

select
    max(period_index) as period_index,
    max(period_end) as period_end
from periods
