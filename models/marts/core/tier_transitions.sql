with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

periods as (
    select
        period_end,
        lag(period_end) over (order by period_end) as previous_period_end
    from {{ ref('review_periods') }}
)

select
    coalesce(customer_periods.tier_code_before, 'none') as from_tier_code,
    coalesce(customer_periods.tier_code, 'none') as to_tier_code,

    count(*) as customers,
    cast(sum(customer_periods.monetary) as decimal(18, 2)) as window_revenue,

    periods.previous_period_end as from_period_end,
    periods.period_end as to_period_end
from customer_periods
inner join periods on customer_periods.period_end = periods.period_end
where periods.previous_period_end is not null
group by 1, 2, 5, 6
