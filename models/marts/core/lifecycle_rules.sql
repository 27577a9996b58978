with rules as (
    select * from {{ ref('lifecycle') }}
)

select
    lifecycle_stage,
    classic_stage,

    priority,
    order_days_from,
    order_days_to,
    gap_ratio_from,
    break_ratio_from
from rules
