{# The expected gap of customers with too few orders for a rhythm of their own: that of similar
   customers. #}
with periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

inputs as (
    select
        *,
        {{ customer_status('recency_days', 'frequency') }} as customer_status
    from {{ ref('int_score_inputs') }}
    where recency_days is not null
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

in_segments as (
    select
        inputs.period_index,
        {{ segment('inputs.customer_status', 'cells.segment_code') }}
            as segment_code,
        inputs.own_gap_days
    from inputs
    inner join periods on inputs.period_index = periods.period_index
    left join cells
        on
            inputs.r_score = cells.r_score
            and inputs.f_score = cells.f_score
            and inputs.m_score = cells.m_score
),

-- middles of halves are quarters: two decimals are exact
gaps_of_segments as (
    select
        period_index,
        segment_code,
        {{ quantiles('own_gap_days', [0.5]) }} as middle
    from in_segments
    group by period_index, segment_code
),

gaps_of_periods as (
    select
        period_index,
        {{ quantiles('own_gap_days', [0.5]) }} as middle
    from in_segments
    group by period_index
),

expected as (
    select
        gaps_of_segments.period_index,
        gaps_of_segments.segment_code,
        coalesce(
            {{ middle_gap('gaps_of_segments.middle') }},
            {{ middle_gap('gaps_of_periods.middle') }},
            {{ setting('lifecycle_default_gap_days') }}
        ) as expected_gap_days
    from gaps_of_segments
    inner join gaps_of_periods on gaps_of_segments.period_index = gaps_of_periods.period_index
)

select * from expected
