with alert_reviews as (
    select * from {{ ref('int_alert_reviews') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

bounded as (
    select
        *,
        coalesce(lag(period_index) over by_period <> period_index - 1, true) as is_first,
        coalesce(lead(period_index) over by_period <> period_index + 1, true) as is_last
    from alert_reviews
    window by_period as (partition by customer_key, alert_code order by period_index)
),

stretched as (
    select
        *,
        max(case when is_first then period_index end) over (
            partition by customer_key, alert_code
            order by period_index
            rows between unbounded preceding and current row
        ) as first_index
    from bounded
),

stretches as (
    select * from stretched where is_last
)

select
    customers.customer_id,
    stretches.alert_code,
    stretches.severity,
    {{ customer_tiering.alert_evidence('stretches') }} as evidence,
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
