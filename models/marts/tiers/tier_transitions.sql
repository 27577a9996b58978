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

moved as (
    select
        tier_rank_before,
        tier_rank,
        period_end,
        count(*) as customers,
        sum(monetary) as window_revenue
    from customer_periods
    group by tier_rank_before, tier_rank, period_end
)

select
    tiers_before.tier_code as from_tier_code,
    tiers_after.tier_code as to_tier_code,

    moved.customers,
    cast(moved.window_revenue as decimal(18, 2)) as window_revenue,

    periods.previous_period_end as from_period_end,
    periods.period_end as to_period_end
from moved
inner join periods on moved.period_end = periods.period_end
left join tier_names as tiers_before on moved.tier_rank_before = tiers_before.tier_rank
left join tier_names as tiers_after on moved.tier_rank = tiers_after.tier_rank
where periods.previous_period_end is not null
