{# An alert that was resolved by the end of a kept period stands: the others are computed. #}
with alert_reviews as (
    select * from {{ ref('int_alert_reviews') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

last_kept as (
    select coalesce(max(period_index), 0) as period_index from periods where is_kept
),

to_compute as (
    select distinct
        alert_reviews.customer_key,
        alert_reviews.alert_code
    from alert_reviews
    inner join last_kept on alert_reviews.period_index >= last_kept.period_index
),

-- in consecutive periods the difference stays the same
numbered as (
    select
        alert_reviews.customer_key,
        alert_reviews.alert_code,
        alert_reviews.period_index,
        alert_reviews.period_index - row_number() over (
            partition by alert_reviews.customer_key, alert_reviews.alert_code
            order by alert_reviews.period_index
        ) as stretch_number
    from alert_reviews
    inner join to_compute
        on
            alert_reviews.customer_key = to_compute.customer_key
            and alert_reviews.alert_code = to_compute.alert_code
),

bounds as (
    select
        customer_key,
        alert_code,
        stretch_number,
        min(period_index) as first_index,
        max(period_index) as last_index
    from numbered
    group by 1, 2, 3
),

stretches as (
    select
        alert_reviews.*,
        bounds.first_index
    from bounds
    inner join last_kept on bounds.last_index >= last_kept.period_index
    inner join alert_reviews
        on
            bounds.customer_key = alert_reviews.customer_key
            and bounds.alert_code = alert_reviews.alert_code
            and bounds.last_index = alert_reviews.period_index
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
