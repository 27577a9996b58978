{# From the ledger alone: no review period is computed for it. #}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

undone_days as (
    select * from {{ ref('int_undone_order_days') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- the newest period ends on as_of_date; that of the frozen edges is there if it closed before
ends as (
    select as_of_date as period_end from as_of
    union all
    select {{ edges_frozen_on() }} as period_end
    from as_of
    where
        {{ edges_frozen_on() }} < as_of_date
        and {{ edges_frozen_on() }} = {{ period_end(period_start(edges_frozen_on())) }}
),

known_ledger as (
    select
        ledger.customer_key,

        ledger.orders_delta,
        ledger.revenue_delta,

        {{ in_window('ledger.order_date', 'ends.period_end') }} as is_in_window,

        ends.period_end,
        -- an order day that is undone later counts until then
        case
            when
                ledger.known_date = ledger.order_date
                and (undone_days.undone_on is null or undone_days.undone_on > ends.period_end)
                then ledger.order_date
        end as standing_order_date
    from ledger
    inner join ends on ledger.known_date <= ends.period_end
    left join undone_days
        on
            ledger.customer_key = undone_days.customer_key
            and ledger.order_date = undone_days.order_date
),

summed as (
    select
        customer_key,

        cast(sum(case when is_in_window then orders_delta else 0 end) as integer) as frequency,
        cast(
            sum(case when is_in_window then revenue_delta else 0 end) as decimal(18, 2)
        ) as monetary,

        period_end,
        max(standing_order_date) as last_order_on
    from known_ledger
    group by customer_key, period_end
),

measured as (
    select
        customer_key,
        {{ customer_status('last_order_on', 'frequency') }} as customer_status,

        {{ days_between('last_order_on', 'period_end') }} as recency_days,
        frequency,
        monetary,

        period_end
    from summed
)

select * from measured
