with measures as (
    select * from {{ ref('int_customer_measures') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

edges_by_period as (
    select
        {%- for metric in ['recency', 'frequency', 'monetary'] %}
        {%- for position in range(1, 5) %}
        max(case when metric = '{{ metric }}' then edge_{{ position }} end)
            as {{ metric }}_edge_{{ position }},
        {%- endfor %}
        {%- endfor %}
        period_index
    from edges
    group by period_index
),

scored as (
    select
        measures.*,
        case measures.customer_status
            when 'active'
                then 5 - {{ edges_below('recency', 'measures.recency_days') }}
            when 'lapsed' then 1
        end as r_score,
        case measures.customer_status
            when 'active'
                then 1 + {{ edges_below('frequency', 'measures.frequency') }}
            when 'lapsed' then 1
        end as f_score,
        case
            when measures.customer_status = 'active' and measures.monetary > 0
                then 1 + {{ edges_below('monetary', 'measures.monetary') }}
            when measures.customer_status in ('active', 'lapsed') then 1
        end as m_score
    from measures
    left join edges_by_period on measures.period_index = edges_by_period.period_index
)

select * from scored
