with flows as (
    select * from {{ ref('int_category_flows') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
)

select
    flows.from_category,
    flows.to_category,

    flows.customers,
    flows.revenue,

    periods.is_open_period,

    periods.period_start,
    periods.period_end
from flows
inner join periods on flows.period_index = periods.period_index
