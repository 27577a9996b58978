{# How many of a customer's referrals led to a customer, over the window of each period. #}
with referrals as (
    select * from {{ ref('int_referrals') }} where reject_reason is null
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

counted as (
    select
        referrals.customer_key,
        periods.period_index,
        cast(count(*) as integer) as converted_referrals
    from referrals
    inner join periods
        on
            periods.period_end >= referrals.converted_on
            and periods.period_end
            < referrals.converted_on + {{ customer_tiering.whole_number('rfm_window_days', 1, 3660) }}
    group by referrals.customer_key, periods.period_index
)

select * from counted
