{# How many of a customer's referrals led to a customer, over the window of each period. #}
with referrals as (
    select * from {{ ref('int_referrals') }} where reject_reason is null
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

counted as (
    select
        referrals.customer_key,
        periods.period_index,
        cast(count(*) as integer) as converted_referrals
    from referrals
    inner join periods
        on {{ in_window('referrals.converted_on', 'periods.period_end') }}
    group by referrals.customer_key, periods.period_index
)

select * from counted
