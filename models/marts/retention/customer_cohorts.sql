{# How many of those who began in a month came back in each later one. #}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- nothing is left of a month's revenue once all of its orders are undone
active_months as (
    select
        ledger.customer_key,
        cast(date_trunc('month', ledger.order_date) as date) as month_start,
        sum(ledger.orders_delta) as orders,
        sum(ledger.revenue_delta) as revenue
    from ledger
    inner join as_of on ledger.known_date <= as_of.as_of_date
    group by 1, 2
    having sum(ledger.orders_delta) > 0
),

first_months as (
    select
        customer_key,
        min(month_start) as cohort_month
    from active_months
    group by 1
),

activity as (
    select
        first_months.cohort_month,
        active_months.month_start,
        count(*) as active_customers,
        sum(active_months.orders) as orders,
        sum(active_months.revenue) as revenue
    from active_months
    inner join first_months on active_months.customer_key = first_months.customer_key
    group by 1, 2
),

cohorts as (
    select
        cohort_month,
        active_customers as customers
    from activity
    where month_start = cohort_month
),

bounds as (
    select
        min(cohorts.cohort_month) as first_month,
        max(cast(date_trunc('month', as_of.as_of_date) as date)) as last_month,
        max(as_of.as_of_date) as as_of_date
    from cohorts
    cross join as_of
),

months as (
    {{ date_series('first_month', 'last_month', '1 month') }}, as_of_date
    from bounds
),

cells as (
    select
        cohorts.cohort_month,
        cohorts.customers,
        months.day as month_start,
        cast(months.day + interval '1 month' as date) - 1 > months.as_of_date as is_open_month
    from cohorts
    inner join months on cohorts.cohort_month <= months.day
)

select
    cast(
        12 * (extract(year from cells.month_start) - extract(year from cells.cohort_month))
        + extract(month from cells.month_start) - extract(month from cells.cohort_month)
        as integer
    ) as months_since,
    cast(cells.customers as bigint) as customers,
    cast(coalesce(activity.active_customers, 0) as bigint) as active_customers,
    cast(coalesce(activity.orders, 0) as bigint) as orders,
    cast(coalesce(activity.revenue, 0) as decimal(18, 2)) as revenue,

    cells.is_open_month,

    cells.cohort_month,
    cells.month_start
from cells
left join activity
    on cells.cohort_month = activity.cohort_month and cells.month_start = activity.month_start
