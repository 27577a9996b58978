with signals as (
    select * from {{ ref('int_customer_signals') }} where nps_answer is not null
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

customer_periods as (
    select * from {{ ref('customer_periods') }}
),

answered as (
    select
        customer_periods.segment_code,
        customer_periods.tier_code,
        signals.nps_answer,
        customer_periods.period_end
    from signals
    inner join customers on signals.customer_key = customers.customer_key
    inner join periods on signals.period_index = periods.period_index
    inner join customer_periods
        on
            customers.customer_id = customer_periods.customer_id
            and periods.period_end = customer_periods.period_end
),

grouped as (
    select
        'all' as dimension,
        'all' as dimension_value,
        nps_answer,
        period_end
    from answered
    union all
    select
        'tier' as dimension,
        tier_code as dimension_value,
        nps_answer,
        period_end
    from answered
    union all
    select
        'segment' as dimension,
        segment_code as dimension_value,
        nps_answer,
        period_end
    from answered
),

counted as (
    select
        dimension,
        dimension_value,
        period_end,
        count(*) as answers,
        sum(case when nps_answer >= 9 then 1 else 0 end) as promoters,
        sum(case when nps_answer <= 6 then 1 else 0 end) as detractors
    from grouped
    group by dimension, dimension_value, period_end
)

select
    dimension,
    dimension_value,

    cast(answers as bigint) as answers,
    cast(promoters as bigint) as promoters,
    cast(detractors as bigint) as detractors,
    cast(
        cast(
            case when promoters >= detractors then 1 else -1 end
            * {{ rounded_ratio('10000 * abs(promoters - detractors)', 'answers') }}
            as decimal(7, 0)
        ) * 0.01 as decimal(7, 2)
    ) as net_promoter_score,

    period_end
from counted
