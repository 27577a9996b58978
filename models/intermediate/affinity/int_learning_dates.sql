{# Today, and the eve of each period whose first orders test what was learned by then. #}
with newest_period as (
    select * from {{ ref('int_newest_period') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

dates as (
    select
        cast(null as integer) as tested_period_index,
        period_end as learned_on,
        cast(null as date) as tested_until
    from newest_period
    where period_end is not null
    union all
    select
        period_index as tested_period_index,
        previous_period_end as learned_on,
        period_end as tested_until
    from periods
    where
        not is_open_period
        and period_index > 1
        and {{ half_year('calendar_period_end') }}
        < {{ half_year(period_end('calendar_period_end + 1')) }}
)

select * from dates
