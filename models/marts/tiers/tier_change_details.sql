with points as (
    select * from {{ ref('int_tier_change_points') }}
),

reasons as (
    select * from {{ ref('int_tier_reasons') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

reference_periods as (
    select * from {{ ref('int_review_periods') }}
),

explained as (
    select
        points.*,
        coalesce(
            reasons.reason_code in (points.input || '_up', points.input || '_down')
            or (reasons.reason_code = 'refund' and points.input = 'monetary'),
            false
        ) as is_reason
    from points
    left join reasons
        on points.customer_key = reasons.customer_key and points.period_index = reasons.period_index
)

select
    customers.customer_id,
    explained.component,
    explained.input,

    cast(explained.input_value_before as decimal(20, 4)) as input_value_before,
    cast(explained.input_value_after as decimal(20, 4)) as input_value_after,
    cast(explained.points_before as decimal(18, 14)) as points_before,
    cast(explained.points_after as decimal(18, 14)) as points_after,
    cast(explained.points_change as decimal(18, 14)) as points_change,

    explained.own_rise * explained.points_change > 0 as is_own_behaviour,
    explained.is_reason,

    reference_periods.period_end as compared_period_end,
    periods.period_end
from explained
inner join customers on explained.customer_key = customers.customer_key
inner join periods on explained.period_index = periods.period_index
inner join reference_periods on explained.reference_index = reference_periods.period_index
where
    explained.is_reason
    or abs(explained.points_change) >= {{ setting('change_details_min_points') }}
