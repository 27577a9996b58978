with rules as (
    select * from {{ ref('lifecycle') }}
)

select
    lifecycle_stage,
    classic_stage,

    priority,
    order_days_from as min_order_days,
    order_days_to as max_order_days,
    gap_ratio_from as min_gap_ratio,
    break_ratio_from as min_break_ratio
from rules
