{% set limits = [30, 60, 90, 365] -%}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

order_days as (
    select
        ledger.customer_key,
        ledger.order_date,
        sum(ledger.orders_delta) as orders
    from ledger
    inner join as_of on ledger.known_date <= as_of.as_of_date
    group by 1, 2
    having sum(ledger.orders_delta) > 0
),

first_days as (
    select
        customer_key,
        min(order_date) as first_order_on
    from order_days
    group by 1
),

-- the second order may be on the day of the first
repeats as (
    select
        order_days.customer_key,
        first_days.first_order_on,
        min(
            case
                when order_days.order_date > first_days.first_order_on or order_days.orders > 1
                    then order_days.order_date
            end
        ) as second_order_on
    from order_days
    inner join first_days on order_days.customer_key = first_days.customer_key
    group by 1, 2
),

by_day as (
    select
        cast(date_trunc('month', repeats.first_order_on) as date) as cohort_month,
        {{ days_between('repeats.first_order_on', 'as_of.as_of_date') }} as observed_days,
        {{ days_between('repeats.first_order_on', 'repeats.second_order_on') }} as repeat_days,
        count(*) as customers
    from repeats
    cross join as_of
    group by 1, 2, 3
),

limits as (
    {% for days in limits -%}
    select {{ days }} as within_days
    {%- if not loop.last %}
    union all
    {% endif -%}
    {%- endfor %}
),

counted as (
    select
        by_day.cohort_month,
        limits.within_days,
        sum(by_day.customers) as customers,
        sum(
            case when by_day.observed_days >= limits.within_days then by_day.customers else 0 end
        ) as observed_customers,
        sum(
            case when by_day.repeat_days <= limits.within_days then by_day.customers else 0 end
        ) as repeat_customers
    from by_day
    cross join limits
    group by 1, 2
)

select
    cast(within_days as integer) as within_days,
    cast(customers as bigint) as customers,
    cast(observed_customers as bigint) as observed_customers,
    cast(case when observed_customers = customers then repeat_customers end as bigint)
        as repeat_customers,
    case when observed_customers = customers then {{ share('repeat_customers', 'customers') }} end
        as repeat_rate,

    cohort_month
from counted
