with as_of as (
    select * from {{ ref('int_as_of') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

periods as (
    select max(period_index) as period_index from {{ ref('int_review_periods') }}
),

reconciliation as (
    select * from {{ ref('reconciliation') }}
),

newest_edges as (
    select edges.*
    from edges
    inner join periods on edges.period_index = periods.period_index
),

warnings as (
    select
        'no_orders' as warning_code,
        'orders' as subject,
        cast(0 as bigint) as observed
    from as_of
    where as_of_date is null
    union all
    select
        'one_off_profile' as warning_code,
        metric as subject,
        cast(distinct_edges as bigint) as observed
    from newest_edges
    where metric = 'frequency' and distinct_edges = 1 and '{{ var("score_profile") }}' <> 'one_off'
    union all
    select
        'small_population' as warning_code,
        metric as subject,
        cast(customers as bigint) as observed
    from newest_edges
    where is_small_population
    union all
    select
        'rows_rejected' as warning_code,
        source_table as subject,
        rows_rejected as observed
    from reconciliation
    where rows_rejected > 0
)

select
    warning_code,
    subject,

    observed
from warnings
