with counts as (
    select * from {{ ref('int_interaction_counts') }}
),

coverage as (
    select * from {{ ref('int_input_coverage') }} where coverage_percent > 0
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

-- customers without any count too
with_zero as (
    select
        period_index,
        input,
        0 as own_count,
        customers - covered_customers as customers
    from coverage
    union all
    select
        period_index,
        input,
        own_count,
        customers
    from counts
),

ranked as (
    select
        with_zero.period_index,
        with_zero.input,
        with_zero.own_count,
        with_zero.customers as customers_equal,
        coverage.customers as peers,
        cast(sum(with_zero.customers) over (
            partition by with_zero.period_index, with_zero.input
            order by with_zero.own_count
            rows between unbounded preceding and current row
        ) - with_zero.customers as bigint) as customers_below
    from with_zero
    inner join coverage
        on
            with_zero.period_index = coverage.period_index
            and with_zero.input = coverage.input
    inner join periods on with_zero.period_index = periods.period_index
)

select
    period_index,
    input,

    own_count,
    {{ normalised(rounded_ratio(
        '5000 * (2 * customers_below + customers_equal)', 'peers'
    )) }} as rank_share
from ranked
