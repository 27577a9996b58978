{# The reviews whose decision depends on how the customer moved since the reference, the newest
   review before at which the tier was earned. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

reference_periods as (
    select * from {{ ref('int_review_periods') }}
),

explained as (
    select
        states.customer_key,
        states.period_index,
        states.reference_index,
        states.change_type,
        states.tier_rank,
        case when states.change_type = 'upgrade' then 1 else -1 end as direction,

        periods.period_end,
        reference_periods.period_end as reference_period_end
    from states
    inner join periods on states.period_index = periods.period_index
    inner join reference_periods
        on states.reference_index = reference_periods.period_index
    where
        states.change_type in ('upgrade', 'protected', 'grace', 'downgrade')
        or (states.change_type = 'leave' and states.is_active)
)

select * from explained
