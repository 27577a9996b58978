with edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
)

select
    periods.period_end,
    edges.metric,
    edges.method,

    edges.edge_1,
    edges.edge_2,
    edges.edge_3,
    edges.edge_4,
    edges.customers,
    edges.distinct_edges,

    edges.is_small_population
from edges
inner join periods on edges.period_index = periods.period_index
