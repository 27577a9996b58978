{# Two ways to the same money: what was sold in a period, and what its reviews say of it. #}
with reviews as (
    select
        period_end,
        sum(period_revenue) as period_revenue
    from {{ ref('tier_summary') }}
    group by period_end
),

trends as (
    select
        period_end,
        revenue
    from {{ ref('market_trends') }}
    where dimension = 'all'
)

select
    reviews.period_end,
    reviews.period_revenue,
    trends.revenue
from reviews
full outer join trends on reviews.period_end = trends.period_end
where reviews.period_revenue is distinct from trends.revenue
