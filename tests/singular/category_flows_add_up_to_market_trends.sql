{# What stayed in a category and left it is its revenue before; what stayed and came, that now. #}
with periods as (
    select
        period_end,
        lag(period_end) over (order by period_end) as previous_period_end
    from {{ ref('review_periods') }}
),

trends as (
    select
        period_end,
        dimension_value as category,
        revenue
    from {{ ref('market_trends') }}
    where dimension = 'category'
),

flows as (
    select
        period_end,
        'before' as side,
        from_category as category,
        sum(revenue) as revenue
    from {{ ref('category_flows') }}
    where from_category <> 'none'
    group by 1, 3
    union all
    select
        period_end,
        'after' as side,
        to_category as category,
        sum(revenue) as revenue
    from {{ ref('category_flows') }}
    where to_category <> 'none'
    group by 1, 3
),

expected as (
    select
        periods.period_end,
        'before' as side,
        trends.category,
        trends.revenue
    from periods
    inner join trends on periods.previous_period_end = trends.period_end
    where trends.revenue <> 0
    union all
    select
        periods.period_end,
        'after' as side,
        trends.category,
        trends.revenue
    from periods
    inner join trends on periods.period_end = trends.period_end
    where periods.previous_period_end is not null and trends.revenue <> 0
)

select
    coalesce(flows.period_end, expected.period_end) as period_end,
    coalesce(flows.side, expected.side) as side,
    coalesce(flows.category, expected.category) as category,
    flows.revenue,
    expected.revenue as expected_revenue
from flows
full outer join expected
    on
        flows.period_end = expected.period_end
        and flows.side = expected.side
        and flows.category = expected.category
where flows.revenue is distinct from expected.revenue
