{# The same customer has the same tier, score, segment and RFM wherever it is asked. #}
with newest_period as (
    select max(period_end) as period_end from {{ ref('review_periods') }}
),

newest as (
    select customer_periods.*
    from {{ ref('customer_periods') }} as customer_periods
    inner join newest_period on customer_periods.period_end = newest_period.period_end
),

compared as (
    select
        customers.customer_id,
        concat_ws(
            '/',
            newest.tier_code, newest.qualified_tier_code, newest.change_type, newest.reason_code
        ) as review_of_period,
        concat_ws(
            '/',
            tiers.tier_code, tiers.qualified_tier_code, tiers.change_type, tiers.reason_code
        ) as review_of_tiers,
        coalesce(newest.tier_code, 'none') as tier_of_period,
        coalesce(tiers.tier_code, 'none') as tier_of_tiers,
        customers.tier_code as tier_of_customers,
        tiers.tier_since as since_of_tiers,
        customers.tier_since as since_of_customers,
        coalesce(newest.management_score, -1) as score_of_period,
        coalesce(scores.management_score, -1) as score_of_scores,
        coalesce(customers.management_score, -1) as score_of_customers,
        coalesce(newest.segment_code, 'prospect') as segment_of_period,
        coalesce(rfm.segment_code, 'prospect') as segment_of_rfm,
        customers.segment_code as segment_of_customers,
        concat_ws(
            '/',
            newest.recency_days, newest.frequency, newest.r_score, newest.f_score, newest.m_score
        ) as rfm_of_period,
        concat_ws(
            '/', rfm.recency_days, rfm.frequency, rfm.r_score, rfm.f_score, rfm.m_score
        ) as rfm_of_rfm,
        coalesce(newest.monetary, 0) as monetary_of_period,
        coalesce(rfm.monetary, 0) as monetary_of_rfm,
        newest.customer_id is not null as has_newest,
        newest.newest_balance as newest_balance_of_period,
        customers.newest_balance as newest_balance_of_customers,
        newest.average_balance as average_balance_of_period,
        customers.average_balance as average_balance_of_customers
    from {{ ref('customers') }} as customers
    left join newest on customers.reviewed_customer_id = newest.customer_id
    left join {{ ref('customer_tiers') }} as tiers
        on customers.reviewed_customer_id = tiers.customer_id
    left join {{ ref('customer_scores') }} as scores
        on customers.reviewed_customer_id = scores.customer_id
    left join {{ ref('customer_rfm') }} as rfm on customers.reviewed_customer_id = rfm.customer_id
)

select *
from compared
where
    review_of_period <> review_of_tiers
    or tier_of_period <> tier_of_customers
    or tier_of_tiers <> tier_of_customers
    or coalesce(since_of_tiers, date '9999-12-31')
    <> coalesce(since_of_customers, date '9999-12-31')
    or score_of_period <> score_of_customers
    or score_of_scores <> score_of_customers
    or segment_of_period <> segment_of_customers
    or segment_of_rfm <> segment_of_customers
    or rfm_of_period <> rfm_of_rfm
    or monetary_of_period <> monetary_of_rfm
    -- who never ordered may have a balance too
    or (has_newest and newest_balance_of_period is distinct from newest_balance_of_customers)
    or (has_newest and average_balance_of_period is distinct from average_balance_of_customers)
