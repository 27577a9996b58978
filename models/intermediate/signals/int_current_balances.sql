{# What customers hold in their accounts at the newest period, and the band of it. #}
with signals as (
    select * from {{ ref('int_customer_signals') }} where average_balance is not null
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

-- the lowest band takes overdrawn customers too
bands as (
    select
        high_net_worth,
        case when row_number() over (order by balance_from) > 1 then balance_from end
            as balance_from,
        lead(balance_from) over (order by balance_from) as next_balance_from
    from {{ ref('high_net_worth_bands') }}
),

newest as (
    select
        signals.customer_key,
        bands.high_net_worth,

        signals.newest_balance,
        signals.average_balance
    from signals
    inner join newest_period on signals.period_index = newest_period.period_index
    inner join bands
        on
            (bands.balance_from is null or signals.average_balance >= bands.balance_from)
            and (
                bands.next_balance_from is null
                or signals.average_balance < bands.next_balance_from
            )
)

select * from newest
