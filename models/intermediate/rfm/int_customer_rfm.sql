with measures as (
    select * from {{ ref('int_customer_measures') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

edges_by_period as (
    {{ edges_by_period('edges') }}
),

scored as (
    select
        measures.*,
        {{ rfm_scores('measures') }}
    from measures
    left join edges_by_period on measures.period_index = edges_by_period.period_index
)

select * from scored
