-- One row per group of customers with orders in the window whom no table of markets tells apart:
-- at the newest closed review, and at that a year before (the end of the month or quarter, or
-- 52 weeks: at most three days from the day), if the periods go back to the first day of its
-- window.
with compared as (
    select
        false as is_year_before,
        cast($closed_on as date) as period_end
    union all
    select
        true as is_year_before,
        max(period_end) as period_end
    from marts.review_periods
    where period_end <= cast($closed_on as date) - interval 1 year + interval 3 day
    having min(period_start) <= max(period_end) - $window_days + 1
)

select
    compared.is_year_before,
    coalesce(customers.region, 'unknown') as region,
    coalesce(customers.industry, 'unknown') as industry,
    coalesce(reviews.favourite_category, 'unknown') as category,
    coalesce(reviews.favourite_channel, 'unknown') as channel,
    reviews.monetary <> 0 as has_revenue,
    count(*) as customers,
    sum(reviews.monetary) as revenue
from marts.customer_periods as reviews
inner join compared on reviews.period_end = compared.period_end
inner join marts.customers as customers on reviews.customer_id = customers.customer_id
where reviews.frequency > 0
group by all
order by all
