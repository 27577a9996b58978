with points as (
    select * from {{ ref('int_score_points') }}
),

scores as (
    select * from {{ ref('int_current_scores') }} where customer_status <> 'prospect'
),

coverage as (
    select * from {{ ref('int_input_coverage') }}
),

-- inputs without any data yet; their weight went to the known ones
inputs_without_data as (
    select component, input
    from {{ ref('score_weights') }}
    where
        profile = '{{ setting("score_profile") }}'
        and input not in ({{ of_each_input("'INPUT'") | join(', ') }})
),

details as (
    select
        points.customer_id,
        points.component,
        points.input,

        points.input_value,
        points.normalised_value,
        coalesce(coverage.coverage_percent, 100) * 0.01 as coverage,
        points.weight,
        points.points
    from points
    left join coverage
        on points.period_index = coverage.period_index and points.input = coverage.input
    union all
    select
        scores.customer_id,
        inputs_without_data.component,
        inputs_without_data.input,

        null as input_value,
        null as normalised_value,
        1 as coverage,
        0 as weight,
        0 as points
    from scores
    cross join inputs_without_data
)

select
    customer_id,
    component,
    input,

    cast(input_value as decimal(20, 4)) as input_value,
    cast(normalised_value as decimal(5, 2)) as normalised_value,
    cast(coverage as decimal(3, 2)) as coverage,
    cast(weight as decimal(13, 12)) as weight,
    cast(points as decimal(18, 14)) as points
from details
