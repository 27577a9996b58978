{# Edges can only be frozen as they were at the end of a closed period with active customers. #}
select '{{ setting("rfm_edges_frozen_on") }}' as rfm_edges_frozen_on
where
    '{{ setting("rfm_edges") }}' = 'frozen'
    and not exists (
        select 1
        from {{ ref('rfm_score_edges') }} as edges
        inner join {{ ref('review_periods') }} as periods on edges.period_end = periods.period_end
        where
            not periods.is_open_period
            and edges.customers > 0
            and cast(edges.period_end as {{ string_type() }}) = '{{ setting("rfm_edges_frozen_on") }}'
    )
