{# What customers hold in their accounts at the end of each period, and on average over the days of
   its window.

   A balance of 10 January and the account's next one of 31 January: the first holds from 10 to 30
   January. Without a next one it holds for balance_valid_days. #}
with balances as (
    select * from {{ ref('int_account_balances') }} where reject_reason is null
),

periods as (
    select
        period_index,
        period_end,
        period_end - {{ setting('rfm_window_days') }} + 1 as window_start
    from {{ ref('int_periods_to_compute') }}
),

-- accounts of merged customers stay apart, so that two without a name add up
held as (
    select
        customer_key,

        balance_reporting,
        cast({{ cents('balance_reporting') }} as bigint) as balance_cents,

        balance_date as held_from,
        least(
            lead(balance_date) over (
                partition by customer_id, account_id, currency_code order by balance_date
            ),
            balance_date + {{ setting('balance_valid_days') }}
        ) as held_until
    from balances
),

held_in_window as (
    select
        held.customer_key,
        periods.period_index,

        case when held.held_until > periods.period_end then held.balance_reporting end
            as newest_balance,
        held.balance_cents * {{ days_between(
            'greatest(held.held_from, periods.window_start)',
            'least(held.held_until, periods.period_end + 1)',
        ) }} as cent_days
    from held
    inner join periods
        on held.held_from <= periods.period_end and held.held_until > periods.window_start
),

summed as (
    select
        customer_key,
        period_index,

        cast(sum(newest_balance) as decimal(18, 2)) as newest_balance,
        cast(sum(cent_days) as {{ wide_integer_type() }}) as cent_days
    from held_in_window
    group by customer_key, period_index
),

averaged as (
    select
        customer_key,
        period_index,

        newest_balance,
        cast(
            cast(
                case when cent_days < 0 then -1 else 1 end
                * {{ rounded_ratio('abs(cent_days)', setting('rfm_window_days')) }}
                as decimal(18, 0)
            ) * 0.01 as decimal(18, 2)
        ) as average_balance
    from summed
)

select * from averaged
