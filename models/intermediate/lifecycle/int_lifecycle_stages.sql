{# Where each customer stands, from the time since the last order against the customer's own rhythm,
   or that of others like them where there are too few orders to have one. #}
with scores as (
    select * from {{ ref('int_customer_scores') }}
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

expected_gaps as (
    select * from {{ ref('int_expected_gaps') }}
),

rules as (
    select * from {{ ref('int_lifecycle_rules') }}
),

in_segments as (
    select
        scores.*,
        {{ segment('scores.customer_status', 'cells.segment_code') }}
            as segment_code
    from scores
    left join cells
        on
            scores.r_score = cells.r_score
            and scores.f_score = cells.f_score
            and scores.m_score = cells.m_score
),

expected as (
    select
        in_segments.*,
        in_segments.own_gap_days is not null as has_own_gap,
        coalesce(in_segments.own_gap_days, expected_gaps.expected_gap_days) as expected_gap_days
    from in_segments
    left join expected_gaps
        on
            in_segments.period_index = expected_gaps.period_index
            and in_segments.segment_code = expected_gaps.segment_code
),

staged as (
    select
        expected.customer_key,
        expected.period_index,
        expected.segment_code,
        {{ lifecycle_stage('expected', 'rules') }} as lifecycle_stage,

        expected.recency_days,
        expected.order_days,
        expected.last_gap_days,
        expected.expected_gap_days,
        expected.frequency,
        expected.monetary,
        expected.period_revenue,
        expected.r_score,
        expected.f_score,
        expected.m_score,
        {%- for component in score_components() %}
        expected.{{ component }}_score,
        {%- endfor %}
        expected.management_score,
        expected.score_coverage,

        expected.has_own_gap
    from expected
    cross join rules
)

select * from staged
