{# Law: what the tiers and the customers without one have in a period's window is what the ledger
   holds for it. The ledger is added up by day first, so that few rows meet the periods. #}
with ledger_days as (
    select
        order_date,
        known_date,
        sum(revenue_delta) as revenue
    from {{ ref('int_customer_ledger') }}
    group by order_date, known_date
),

ledger_windows as (
    select
        periods.period_end,
        sum(ledger_days.revenue) as ledger_revenue
    from {{ ref('review_periods') }} as periods
    inner join ledger_days
        on
            ledger_days.known_date <= periods.period_end
            and ledger_days.order_date <= periods.period_end
            and ledger_days.order_date
            > periods.period_end - {{ setting('rfm_window_days') }}
    group by periods.period_end
),

tier_windows as (
    select
        period_end,
        sum(window_revenue) as tier_revenue
    from {{ ref('tier_summary') }}
    group by period_end
)

select
    periods.period_end,
    tier_windows.tier_revenue,
    ledger_windows.ledger_revenue
from {{ ref('review_periods') }} as periods
left join tier_windows on periods.period_end = tier_windows.period_end
left join ledger_windows on periods.period_end = ledger_windows.period_end
where
    tier_windows.tier_revenue is null
    or tier_windows.tier_revenue <> coalesce(ledger_windows.ledger_revenue, 0)
