with reviews as (
    select *
    from marts.customer_periods
    where customer_id = $customer_id and period_end <= $last
),

compared as (
    select
        period_end,
        max(compared_period_end) as compared_period_end
    from marts.tier_change_details
    where customer_id = $customer_id
    group by period_end
)

select
    reviews.period_end,
    reviews.is_open_period,
    reviews.tier_code,
    reviews.tier_code_before,
    reviews.qualified_tier_code,
    reviews.change_type,
    reviews.reason_code,
    reviews.management_score,
    reviews.recency_days,
    reviews.frequency,
    reviews.monetary,
    compared.compared_period_end
from reviews
left join compared on reviews.period_end = compared.period_end
order by reviews.period_end
