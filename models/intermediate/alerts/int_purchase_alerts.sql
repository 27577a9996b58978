{# What a customer's own purchases may alert to: slower than their rhythm, less than half a year
   ago, or more than ever. #}
with periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

measures as (
    select * from {{ ref('int_customer_measures') }}
),

changes as (
    select * from {{ ref('int_measure_changes') }}
),

first_to_compute as (
    select min(period_index) as period_index from periods
),

slowing as (
    select
        customer_key,
        period_index,
        'purchases_slowing' as alert_code,
        {{ figure_ratio('recency_days', 'own_gap_days') }} as measure,
        order_days as basis,
        {{ figure('recency_days') }} as value_now,
        {{ figure('own_gap_days') }} as value_before
    from measures
    where own_gap_days is not null
),

halves as (
    select
        measures.customer_key,
        measures.period_index,
        measures.frequency,
        greatest(measures.revenue_first_half, 0) as earlier_revenue,
        greatest(measures.revenue_second_half, 0) as later_revenue
    from measures
    inner join periods on measures.period_index = periods.period_index
    where
        measures.frequency > 0
        and measures.revenue_first_half > 0
        and measures.revenue_second_half < measures.revenue_first_half
        and measures.first_order_on <= periods.period_end - {{ year_days() }}
),

dropped as (
    select
        customer_key,
        period_index,
        'spend_drop' as alert_code,
        {{ figure_ratio(
            '100 * (earlier_revenue - later_revenue)', 'earlier_revenue'
        ) }} as measure,
        frequency as basis,
        {{ figure('later_revenue') }} as value_now,
        {{ figure('earlier_revenue') }} as value_before
    from halves
),

-- periods with revenue, each with those of the year before it
with_revenue as (
    select
        changes.customer_key,
        changes.period_index,
        changes.period_revenue,
        cast(sum(changes.period_revenue) over year_before as decimal(18, 2)) as revenue_before,
        cast(count(*) over year_before as integer) as periods_before
    from changes
    inner join first_to_compute
        on changes.period_index >= first_to_compute.period_index - {{ periods_a_year() }}
    where changes.period_revenue > 0
    window year_before as (
        partition by changes.customer_key
        order by changes.period_index
        range between {{ periods_a_year() }} preceding and 1 preceding
    )
),

usual as (
    select
        with_revenue.*,
        {{ figure_ratio('revenue_before', 'periods_before') }} as usual_revenue
    from with_revenue
    inner join periods on with_revenue.period_index = periods.period_index
    where with_revenue.periods_before > 0
),

unusually_good as (
    select
        customer_key,
        period_index,
        'unusually_good_period' as alert_code,
        {{ figure_ratio('period_revenue', 'usual_revenue') }} as measure,
        periods_before as basis,
        {{ figure('period_revenue') }} as value_now,
        usual_revenue as value_before
    from usual
    where usual_revenue > 0
),

candidates as (
    select * from slowing
    union all
    select * from dropped
    union all
    select * from unusually_good
)

select * from candidates
