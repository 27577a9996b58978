with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

periods as (
    select
        period_end,
        lag(period_end) over (order by period_end) as previous_period_end
    from {{ ref('review_periods') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

-- every tier in every period, also empty ones
cells as (
    select
        periods.period_end,
        periods.previous_period_end,
        tier_names.tier_code,
        tier_names.tier_rank
    from periods
    cross join tier_names
),

totals as (
    select
        period_end,
        tier_rank,
        count(*) as customers,
        sum(case when frequency >= 1 then 1 else 0 end) as active_customers,
        sum(case when frequency >= 2 then 1 else 0 end) as repeat_customers,
        sum(case when segment_code = 'lapsed' then 1 else 0 end) as lapsed_customers,
        sum(frequency) as orders,
        sum(monetary) as window_revenue,
        sum(period_revenue) as period_revenue
    from customer_periods
    group by 1, 2
),

churned as (
    select
        period_end,
        tier_rank_before as tier_rank,
        count(*) as customers
    from customer_periods
    where is_newly_lapsed
    group by 1, 2
),

summed as (
    select
        cells.period_end,
        cells.tier_code,
        cells.tier_rank,
        coalesce(totals.customers, 0) as customers,
        coalesce(totals.active_customers, 0) as active_customers,
        coalesce(totals.repeat_customers, 0) as repeat_customers,
        coalesce(totals.lapsed_customers, 0) as lapsed_customers,
        coalesce(totals.orders, 0) as orders,
        coalesce(totals.window_revenue, 0) as window_revenue,
        coalesce(totals.period_revenue, 0) as period_revenue,
        coalesce(churned.customers, 0) as churned_customers,
        before.active_customers as active_customers_before,
        sum(coalesce(totals.window_revenue, 0)) over (
            partition by cells.period_end
        ) as all_window_revenue,
        sum(coalesce(totals.window_revenue, 0)) over (
            partition by cells.period_end order by cells.tier_rank desc
        ) as window_revenue_from_top
    from cells
    left join totals on cells.period_end = totals.period_end and cells.tier_rank = totals.tier_rank
    left join totals as before
        on cells.previous_period_end = before.period_end and cells.tier_rank = before.tier_rank
    left join churned
        on cells.period_end = churned.period_end and cells.tier_rank = churned.tier_rank
)

select
    tier_code,

    tier_rank,
    cast(customers as bigint) as customers,
    cast(lapsed_customers as bigint) as lapsed_customers,
    cast(window_revenue as decimal(18, 2)) as window_revenue,
    {{ share('window_revenue', 'all_window_revenue') }} as window_revenue_share,
    {{ share('window_revenue_from_top', 'all_window_revenue') }}
        as cumulative_revenue_share,
    cast(period_revenue as decimal(18, 2)) as period_revenue,
    {{ mean_amount('window_revenue', 'orders') }} as average_order_value,
    {{ share('repeat_customers', 'active_customers') }} as repeat_rate,
    {{ share('churned_customers', 'active_customers_before') }} as churn_rate,

    period_end
from summed
