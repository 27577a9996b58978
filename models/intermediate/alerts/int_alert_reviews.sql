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
    select
        states.customer_key,
        states.period_index,
        states.tier_rank
    from {{ ref('int_tier_states') }} as states
    inner join {{ ref('int_periods_to_compute') }} as periods
        on states.period_index = periods.period_index
),

rules as (
    select
        *,
        case severity when 'high' then 1 when 'medium' then 2 else 3 end as severity_rank
    from {{ ref('alert_rules') }}
),

candidates as (
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        cast(null as decimal(18, 2)) as detail,
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
        cast(null as decimal(18, 2)) as detail,
        cast(null as decimal(18, 2)) as basis
    from service_alerts
    union all
    select
        customer_key,
        period_index,
        alert_code,
        measure,
        value_now,
        value_before,
        cast(null as decimal(18, 2)) as detail,
        cast(null as decimal(18, 2)) as basis
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
        cast(null as decimal(18, 2)) as basis
    from tier_alerts
),

figures as (
    select
        candidates.*,
        -- customers who have not ordered may have complaints but have no reviews
        coalesce(states.tier_rank, 0) as tier_rank
    from candidates
    left join states
        on
            candidates.customer_key = states.customer_key
            and candidates.period_index = states.period_index
),

met as (
    select
        figures.*,
        rules.severity,
        rules.severity_rank,
        rules.action_code
    from figures
    inner join rules on figures.alert_code = rules.alert_code
    where {{ is_met('rules', 'figures') }}
),

-- a join, as numbering all alerts of all periods costs more
gravest as (
    select
        met.customer_key,
        met.period_index,
        met.alert_code,
        met.severity,
        met.action_code,
        met.measure,
        met.value_now,
        met.value_before,
        cast(met.detail as decimal(18, 2)) as detail
    from met
    where
        not exists (
            select 1
            from rules as graver
            where
                met.alert_code = graver.alert_code
                and met.severity_rank > graver.severity_rank
                and {{ is_met('graver', 'met') }}
        )
)

select * from gravest
