{# Whoever has a row in customer_periods is in one tier of tier_summary and, from the second period
   on, went one way in tier_transitions, with all of their window revenue. #}
with counted as (
    select
        period_end,
        count(*) as customers,
        sum(monetary) as window_revenue
    from {{ ref('customer_periods') }}
    group by period_end
),

summarised as (
    select
        period_end,
        sum(customers) as customers,
        sum(window_revenue) as window_revenue
    from {{ ref('tier_summary') }}
    group by period_end
),

moved as (
    select
        to_period_end,
        sum(customers) as customers,
        sum(window_revenue) as window_revenue
    from {{ ref('tier_transitions') }}
    group by to_period_end
),

first_period as (
    select min(period_end) as period_end from {{ ref('review_periods') }}
)

select
    coalesce(counted.period_end, summarised.period_end) as period_end,
    counted.customers,
    summarised.customers as customers_in_summary,
    moved.customers as customers_in_transitions,
    counted.window_revenue,
    summarised.window_revenue as window_revenue_in_summary,
    moved.window_revenue as window_revenue_in_transitions
from counted
full outer join summarised on counted.period_end = summarised.period_end
left join moved on counted.period_end = moved.to_period_end
cross join first_period
where
    coalesce(counted.customers, 0) <> coalesce(summarised.customers, 0)
    or coalesce(counted.window_revenue, 0) <> coalesce(summarised.window_revenue, 0)
    or counted.period_end > first_period.period_end
    and (
        counted.customers <> coalesce(moved.customers, 0)
        or counted.window_revenue <> coalesce(moved.window_revenue, 0)
    )
