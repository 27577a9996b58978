{# The measures and rhythms of a customer are computed from these facts alone. A ledger row changes
   them when it is known and when it passes out of half a year, a year and the window: what it has
   passed by as_of_date belongs to the fact. #}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

first_period as (
    select min(period_start) as period_start from periods
),

known as (
    select
        ledger.*,
        ledger.order_date + {{ half_year_days() }} <= as_of.as_of_date as has_passed_half,
        ledger.order_date + {{ year_days() }} <= as_of.as_of_date as has_passed_year,
        ledger.order_date + {{ setting('rfm_window_days') }} <= as_of.as_of_date as has_left_window,
        -- periods are counted from it
        first_period.period_start as first_period_start
    from ledger
    inner join as_of on ledger.known_date <= as_of.as_of_date
    cross join first_period
),

fingerprints as (
    select
        customer_key,
        {{ fingerprint([
            'orders_delta', 'revenue_delta', 'order_date', 'known_date', 'has_passed_half',
            'has_passed_year', 'has_left_window', 'first_period_start',
        ]) }} as fingerprint
    from known
    group by customer_key
)

select * from fingerprints
