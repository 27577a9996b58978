{# Who of the customers of a year ago still buys, by the tier that they held then. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

-- before the newest closed one, so that the window of no order then reaches into the one of now
year_before as (
    select max(period_index) - {{ periods_a_year() }} as period_index
    from periods
    where not is_open_period
),

active_before as (
    select
        states.customer_key,
        states.tier_rank
    from states
    inner join year_before on states.period_index = year_before.period_index
    where states.is_active
),

active_now as (
    select states.customer_key
    from states
    inner join newest_period on states.period_index = newest_period.period_index
    where states.is_active
),

by_tier as (
    select
        active_before.tier_rank,
        count(*) as customers,
        count(active_now.customer_key) as customers_retained
    from active_before
    left join active_now on active_before.customer_key = active_now.customer_key
    group by 1
)

select * from by_tier
