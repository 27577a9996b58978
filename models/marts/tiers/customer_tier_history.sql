with states as (
    select * from {{ ref('int_tier_states') }}
),

reasons as (
    select * from {{ ref('int_tier_reasons') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

-- the reviews that changed the tier; what is still open is not history
changes as (
    select
        states.customer_key,
        states.tier_rank,
        states.previous_rank,
        states.change_type,
        reasons.reason_code,
        periods.period_end as valid_from,
        lead(periods.period_end) over (
            partition by states.customer_key order by periods.period_end
        ) as valid_to
    from states
    inner join periods on states.period_index = periods.period_index
    left join reasons
        on states.customer_key = reasons.customer_key and states.period_index = reasons.period_index
    where
        states.change_type in ('enter', 'upgrade', 'downgrade', 'leave')
        and not periods.is_open_period
)

select
    customers.customer_id,
    held.tier_code,
    previous.tier_code as previous_tier_code,
    changes.change_type,
    changes.reason_code,

    changes.valid_to is null as is_current,

    changes.valid_from,
    changes.valid_to
from changes
inner join customers on changes.customer_key = customers.customer_key
left join tier_names as held on changes.tier_rank = held.tier_rank
left join tier_names as previous on changes.previous_rank = previous.tier_rank
