with balances as (
    select * from {{ ref('int_account_balances') }} where reject_reason is null
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

known_balances as (
    select
        balances.*,
        row_number() over (
            partition by balances.customer_id, balances.account_id, balances.currency_code
            order by balances.balance_date desc
        ) as place,
        as_of.as_of_date
    from balances
    inner join as_of on balances.balance_date <= as_of.as_of_date
),

-- of a closed account the last balance is 0, which nobody misses
accounts as (
    select
        balance_reporting,
        balance_reporting <> 0
        and as_of_date >= balance_date + {{ setting('balance_valid_days') }} as is_expired
    from known_balances
    where place = 1
),

account_totals as (
    select
        count(*) as accounts,
        sum(case when is_expired then 1 else 0 end) as accounts_expired,
        sum(case when is_expired then balance_reporting else 0 end) as balance_expired
    from accounts
),

warnings as (
    select
        'expired_balances' as warning_code,
        'account_balances' as subject,
        accounts_expired as observed,
        balance_expired as amount,
        {{ share('accounts_expired', 'accounts') }} as share
    from account_totals
    where accounts_expired > 0
)

select * from warnings
