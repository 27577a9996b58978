with balances as (
    select * from {{ ref('stg_finance__account_balances') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

exchange_rates as (
    select * from {{ ref('stg_shop__exchange_rates') }}
),

rates as (
    {{ newest_rates('balances', 'balance_date', 'exchange_rates') }}
),

converted as (
    select
        balances.customer_id,
        known_ids.customer_key,
        balances.account_id,
        balances.currency_code,

        balances.balance_amount,
        case
            when balances.currency_code = '{{ setting("reporting_currency") }}'
                then cast(1 as decimal(18, 8))
            else rates.rate_to_reporting
        end as rate_to_reporting,

        balances.balance_date
    from balances
    left join known_ids on balances.customer_id = known_ids.customer_id
    left join rates
        on
            balances.currency_code = rates.currency_code
            and balances.balance_date = rates.balance_date
),

judged as (
    select
        *,
        case
            when customer_key is null then 'unknown_customer'
            when rate_to_reporting is null then 'no_exchange_rate'
            when {{ is_too_large('balance_amount', 'rate_to_reporting') }} then 'amount_too_large'
        end as reject_reason
    from converted
),

identified as (
    select
        customer_id,
        customer_key,
        account_id,
        currency_code,
        reject_reason,

        balance_amount,
        rate_to_reporting,
        case
            when reject_reason is null
                then {{ reporting_amount('balance_amount', 'rate_to_reporting') }}
        end as balance_reporting,

        balance_date
    from judged
)

select * from identified
