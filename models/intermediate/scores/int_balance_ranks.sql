{# The contribution of each newest balance among the active customers of whom one is known. #}
with balances as (
    select * from {{ ref('int_customer_signals') }} where newest_balance is not null
),

measures as (
    select * from {{ ref('int_customer_measures') }} where customer_status = 'active'
),

amounts as (
    select
        balances.period_index,
        balances.newest_balance,
        count(*) as customers
    from balances
    inner join measures
        on
            balances.customer_key = measures.customer_key
            and balances.period_index = measures.period_index
    group by balances.period_index, balances.newest_balance
),

normalised as (
    {{ contributions('amounts', 'newest_balance') }}
)

select * from normalised
