{# The alerts that hold at the end of each period, by the gravest rule that their figures meet. #}
with purchase_alerts as (
    select * from {{ ref('int_purchase_alerts') }}
),

service_alerts as (
    select * from {{ ref('int_service_alerts') }}
),

silence_alerts as (
    select * from {{ ref('int_silence_alerts') }}
),

tier_alerts as (
    select * from {{ ref('int_tier_alerts') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

rules as (
    select * from {{ ref('int_alert_rules') }}
),

candidates as (
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        null as detail,
        basis
    from purchase_alerts
    union all
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        null as detail,
        null as basis
    from service_alerts
    union all
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        null as detail,
        null as basis
    from silence_alerts
    union all
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        detail,
        null as basis
    from tier_alerts
),

-- most candidates are far from every rule, and need not meet their tier
within_reach as (
    select candidates.*
    from candidates
    inner join rules on candidates.alert_code = rules.alert_code
    where candidates.measure >= rules.least_measure
),

figures as (
    select
        within_reach.*,
        -- customers who have not ordered may have complaints but have no reviews
        coalesce(states.tier_rank, 0) as tier_rank
    from within_reach
    left join states
        on
            within_reach.customer_key = states.customer_key
            and within_reach.period_index = states.period_index
),

graded as (
    select
        figures.customer_key,
        figures.period_index,
        figures.alert_code,
        {{ of_gravest_rule('figures', 'rules') }} as severity,
        {{ of_gravest_rule('figures', 'rules', 'action_code') }} as action_code,
        figures.measure,
        figures.value_now,
        figures.value_before,
        cast(figures.detail as decimal(18, 2)) as detail
    from figures
    inner join rules on figures.alert_code = rules.alert_code
)

select * from graded where severity is not null
