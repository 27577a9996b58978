with hits as (
    select * from {{ ref('int_recommendation_hits') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
)

select
    hits.recommended_kind,
    hits.predictor,

    hits.customers,
    hits.hits,
    {{ share('hits.hits', 'hits.customers') }} as hit_rate,

    hits.learned_on as as_of_date,
    periods.period_end as tested_until
from hits
inner join periods on hits.period_index = periods.period_index
