with periods as (
    select * from {{ ref('int_review_periods') }}
),

to_compute as (
    select
        period_index,

        is_open_period,
        is_last_of_year,

        period_start,
        period_end,
        calendar_period_end,
        previous_period_end,
        rules_valid_from
    from periods
    where is_kept is not true
)

select * from to_compute
