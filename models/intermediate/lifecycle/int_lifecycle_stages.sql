{# Where each customer stands, from the time since the last order against the customer's own rhythm,
   or that of others like them where there are too few orders to have one. #}
with periods as (
    select * from {{ ref('int_review_periods') }}
),

inputs as (
    select all_inputs.*
    from {{ ref('int_score_inputs') }} as all_inputs
    inner join periods on all_inputs.period_index = periods.period_index
    where periods.is_kept is not true
),

rhythms as (
    select * from {{ ref('int_purchase_rhythms') }}
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

rules as (
    select * from {{ ref('int_lifecycle_rules') }}
),

bounds as (
    select
        coalesce(min(case when is_kept is not true then period_index end), max(period_index) + 1)
            as first_to_compute,
        max(period_index) as last_index
    from periods
),

rhythms_by_period as (
    select
        rhythms.customer_key,
        {{ customer_tiering.unnest_range(
            'greatest(rhythms.period_index, bounds.first_to_compute)',
            'coalesce(rhythms.next_change_index, bounds.last_index + 1)',
        ) }} as period_index,
        rhythms.order_days,
        rhythms.last_gap_days,
        rhythms.median_gap_days
    from rhythms
    cross join bounds
),

-- a prospect has no order day, whatever there was before all was undone
measured as (
    select
        inputs.customer_key,
        inputs.period_index,
        case when inputs.frequency = 0 then 'lapsed' else cells.segment_code end as segment_code,
        inputs.recency_days,
        case when inputs.recency_days is null then 0 else rhythms_by_period.order_days end
            as order_days,
        case when inputs.recency_days is not null then rhythms_by_period.last_gap_days end
            as last_gap_days,
        case
            when
                inputs.recency_days is not null
                and rhythms_by_period.order_days
                > {{ customer_tiering.whole_number('lifecycle_min_gaps', 1, 1000) }}
                then rhythms_by_period.median_gap_days
        end as own_gap_days
    from inputs
    left join rhythms_by_period
        on
            inputs.customer_key = rhythms_by_period.customer_key
            and inputs.period_index = rhythms_by_period.period_index
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
        {{ customer_tiering.quantiles('own_gap_days', [0.5]) }} as middle
    from measured
    where own_gap_days is not null
    group by period_index, segment_code
),

gaps_of_periods as (
    select
        period_index,
        {{ customer_tiering.quantiles('own_gap_days', [0.5]) }} as middle
    from measured
    where own_gap_days is not null
    group by period_index
),

expected as (
    select
        measured.*,
        case
            when measured.recency_days is null then null
            when measured.own_gap_days is not null then measured.own_gap_days
            when gaps_of_segments.middle is not null
                then {{ customer_tiering.middle_gap('gaps_of_segments.middle') }}
            when gaps_of_periods.middle is not null
                then {{ customer_tiering.middle_gap('gaps_of_periods.middle') }}
            else {{ customer_tiering.whole_number('lifecycle_default_gap_days', 1, 3660) }}
        end as expected_gap_days
    from measured
    left join gaps_of_segments
        on
            measured.period_index = gaps_of_segments.period_index
            and measured.segment_code = gaps_of_segments.segment_code
    left join gaps_of_periods on measured.period_index = gaps_of_periods.period_index
),

staged as (
    select
        expected.customer_key,
        expected.period_index,
        {{ customer_tiering.lifecycle_stage('expected', 'rules') }} as lifecycle_stage,
        expected.recency_days,
        expected.order_days,
        expected.last_gap_days,
        expected.expected_gap_days,
        expected.own_gap_days is not null as has_own_gap
    from expected
    cross join rules
)

select * from staged
