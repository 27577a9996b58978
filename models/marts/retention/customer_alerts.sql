with alert_reviews as (
    select * from {{ ref('int_alert_reviews') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

numbered as (
    select
        customer_key,
        alert_code,
        severity,
        action_code,
        measure,
        value_now,
        value_before,
        detail,
        period_index,
        row_number() over by_period as review_number,
        lead(period_index) over by_period as next_index
    from alert_reviews
    window by_period as (partition by customer_key, alert_code order by period_index)
),

last_reviews as (
    select
        customer_key,
        alert_code,
        severity,
        action_code,
        measure,
        value_now,
        value_before,
        detail,
        period_index,
        review_number
    from numbered
    where next_index is null or next_index <> period_index + 1
),

-- a stretch's length is the gap between the review numbers of consecutive stretch ends
stretches as (
    select
        customer_key,
        alert_code,
        severity,
        action_code,
        measure,
        value_now,
        value_before,
        detail,
        period_index,
        period_index + 1 - (review_number - coalesce(lag(review_number) over by_period, 0))
            as first_index
    from last_reviews
    window by_period as (partition by customer_key, alert_code order by period_index)
)

select
    customers.customer_id,
    stretches.alert_code,
    stretches.severity,
    {{ alert_evidence('stretches') }} as evidence,
    stretches.action_code as recommended_action_code,

    stretches.value_now,
    stretches.value_before,

    periods_after.period_end is null as is_open,

    raised.period_end as raised_on,
    periods_after.period_end as resolved_on
from stretches
inner join customers on stretches.customer_key = customers.customer_key
inner join periods as raised on stretches.first_index = raised.period_index
left join periods as periods_after on stretches.period_index + 1 = periods_after.period_index
