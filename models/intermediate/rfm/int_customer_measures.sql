with changes as (
    select * from {{ ref('int_measure_changes') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

periods_to_compute as (
    select * from {{ ref('int_periods_to_compute') }}
),

bounds as (
    select
        coalesce(min(periods_to_compute.period_index), max(periods.period_index) + 1)
            as first_to_compute,
        max(periods.period_index) as last_index
    from periods
    left join periods_to_compute on periods.period_index = periods_to_compute.period_index
),

-- between two changes nothing but the customer's recency moves
filled as (
    select
        changes.customer_key,
        changes.first_index,
        changes.period_index as change_index,
        {{ unnest_range(
            'greatest(changes.period_index, bounds.first_to_compute)',
            'coalesce(changes.next_change_index, bounds.last_index + 1)',
        ) }} as period_index,

        changes.frequency,
        changes.monetary,
        changes.revenue_first_half,
        changes.revenue_second_half,
        changes.period_revenue,
        changes.order_days,
        changes.last_gap_days,
        changes.median_gap_days,

        changes.first_order_on,
        changes.last_order_on
    from changes
    cross join bounds
),

measured as (
    select
        filled.customer_key,
        filled.period_index,
        filled.period_index - filled.first_index + 1 as review_number,
        {{ customer_status('filled.last_order_on', 'filled.frequency') }}
            as customer_status,

        {{ days_between('filled.last_order_on', 'periods.period_end') }} as recency_days,
        filled.frequency,
        filled.monetary,
        cast(
            case
                when filled.period_index = filled.change_index then filled.period_revenue else 0
            end as decimal(18, 2)
        ) as period_revenue,
        filled.revenue_first_half,
        filled.revenue_second_half,
        -- a prospect has no order day, whatever there was before all was undone
        case when filled.last_order_on is null then 0 else filled.order_days end as order_days,
        case when filled.last_order_on is not null then filled.last_gap_days end as last_gap_days,
        case
            when
                filled.last_order_on is not null
                and filled.order_days
                > {{ setting('lifecycle_min_gaps') }}
                then filled.median_gap_days
        end as own_gap_days,

        filled.first_order_on,
        filled.last_order_on
    from filled
    inner join periods on filled.period_index = periods.period_index
)

select * from measured
