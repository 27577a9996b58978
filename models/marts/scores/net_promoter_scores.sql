with answered as (
    select
        segment_code,
        tier_code,
        nps_answer,
        period_end
    from {{ ref('customer_periods') }}
    where nps_answer is not null
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
