-- who was ever reviewed is so at the newest closed review
with customers as (
    select
        customer_id,
        row_number() over (order by customer_id) - 1 as place
    from marts.customer_periods
    where period_end = $newest
)

select
    reviews.period_end,
    customers.place,
    -- a line has two decimals: whoever reaches it does so with the score rounded down to two
    cast(
        case
            when reviews.recency_days is null then $without_orders
            else floor(100 * cast(reviews.management_score as decimal(38, 14)))
        end as smallint
    ) as score,
    reviews.frequency as orders,
    cast(100 * cast(reviews.monetary as decimal(38, 2)) as bigint) as revenue,
    cast(reviews.tier_rank as tinyint) as tier_rank
from marts.customer_periods as reviews
inner join customers on reviews.customer_id = customers.customer_id
where not reviews.is_open_period
