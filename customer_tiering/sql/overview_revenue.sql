with periods as (
    select period_end
    from marts.review_periods
    order by period_end desc
    limit $periods
)

select
    customer_periods.period_end,
    customer_periods.tier_code,
    count(*) filter (where customer_periods.period_revenue <> 0) as customers,
    sum(customer_periods.period_revenue) as revenue
from marts.customer_periods
inner join periods on customer_periods.period_end = periods.period_end
group by customer_periods.period_end, customer_periods.tier_code
order by customer_periods.period_end, customer_periods.tier_code
