with periods as (
    select * from {{ ref('int_review_periods') }}
),

bounds as (
    select
        min(period_start) as first_day,
        max(period_end) as last_day
    from periods
),

days as (
    {{ date_series('first_day', 'last_day', '1 day') }}
    from bounds
),

placed as (
    select
        days.day as date_day,
        periods.period_index
    from days
    inner join periods on days.day between periods.period_start and periods.period_end
)

select * from placed
