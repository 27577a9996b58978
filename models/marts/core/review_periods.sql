with periods as (
    select * from {{ ref('int_review_periods') }}
)

select
    period_end,
    period_start,
    is_open_period,
    rules_valid_from
from periods
