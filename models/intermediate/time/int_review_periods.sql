with as_of as (
    select * from {{ ref('int_as_of') }}
),

ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

first_change as (
    select * from {{ ref('int_first_change') }}
),

first_order as (
    select
        as_of.as_of_date,
        min(ledger.order_date) as order_date
    from ledger
    cross join as_of
    where ledger.known_date <= as_of.as_of_date
    group by 1
),

starts as (
    {{ date_series(
        period_start('order_date'),
        period_start('as_of_date'),
        period_length(),
    ) }}, as_of_date
    from first_order
),

bounded as (
    select
        day as period_start,
        {{ period_end('day') }} as calendar_period_end,
        as_of_date
    from starts
),

numbered as (
    select
        cast(row_number() over (order by bounded.period_start) as integer) as period_index,

        bounded.calendar_period_end > bounded.as_of_date as is_open_period,
        -- closed by the last build already, and nothing that was known by its end has changed since
        bounded.calendar_period_end <= bounded.as_of_date
        and first_change.changed_from is not null as is_kept,

        bounded.period_start,
        least(bounded.calendar_period_end, bounded.as_of_date) as period_end,
        bounded.calendar_period_end,
        bounded.period_start - 1 as previous_period_end
    from bounded
    left join first_change on bounded.calendar_period_end < first_change.changed_from
),

versions as (
    select distinct version_valid_from from tier_rules
),

first_version as (
    select min(version_valid_from) as version_valid_from from versions
),

with_rules as (
    select
        numbered.period_index,

        numbered.is_open_period,
        numbered.is_kept,
        -- the last review on or before 31 December: the next one lies in a later year
        extract(year from {{ period_end('numbered.calendar_period_end + 1') }})
        > extract(year from numbered.calendar_period_end) as is_last_of_year,

        numbered.period_start,
        numbered.period_end,
        numbered.calendar_period_end,
        numbered.previous_period_end,
        max(coalesce(versions.version_valid_from, first_version.version_valid_from))
            as rules_valid_from
    from numbered
    cross join first_version
    left join versions on numbered.period_end >= versions.version_valid_from
    group by 1, 2, 3, 4, 5, 6, 7, 8
)

select * from with_rules
