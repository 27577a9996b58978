-- what keeps the tier held, then what each higher one asks for
with reviewed as (
    select reviews.*
    from marts.customer_periods as reviews
    where reviews.customer_id = $customer_id and reviews.period_end = $last
),

limits as (
    select
        reviewed.management_score,
        reviewed.frequency,
        reviewed.monetary,
        ladder.tier_code,
        ladder.tier_rank,
        ladder.tier_rank > reviewed.tier_rank as is_higher,
        case when is_higher then ladder.enter_score else ladder.keep_score end as least_score,
        case when is_higher then ladder.enter_min_orders else ladder.keep_min_orders end
            as least_orders,
        case when is_higher then ladder.enter_min_revenue else ladder.keep_min_revenue end
            as least_revenue
    from reviewed
    inner join marts.review_periods as periods on reviewed.period_end = periods.period_end
    inner join marts.tiers as ladder
        on
            periods.rules_valid_from = ladder.version_valid_from
            and reviewed.tier_rank <= ladder.tier_rank
    where reviewed.segment_code <> 'prospect'
)

select
    tier_code,
    case when is_higher then 'enter' else 'keep' end as rule,
    least_score,
    coalesce(least_orders, 0) as least_orders,
    least_revenue,
    case when management_score is not null then greatest(least_score - management_score, 0) end
        as points_missing,
    greatest(coalesce(limits.least_orders, 0) - frequency, 0) as orders_missing,
    greatest(coalesce(least_revenue - monetary, 0), 0) as revenue_missing
from limits
order by tier_rank
