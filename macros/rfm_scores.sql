{# Strictly below, so that equal values always count the same. #}
{% macro edges_below(metric, value) -%}
    (
        {%- for position in range(1, 5) %}
        {{ '+ ' if not loop.first }}case when {{ metric }}_edge_{{ position }} < {{ value }} then 1 else 0 end
        {%- endfor %}
    )
{%- endmacro %}


{% macro edges_by_period(edges) -%}
    select
        {%- for metric in ['recency', 'frequency', 'monetary'] %}
        {%- for position in range(1, 5) %}
        max(case when metric = '{{ metric }}' then edge_{{ position }} end)
            as {{ metric }}_edge_{{ position }},
        {%- endfor %}
        {%- endfor %}
        period_index
    from {{ edges }}
    group by period_index
{%- endmacro %}


{% macro rfm_scores(measures) -%}
    case {{ measures }}.customer_status
        when 'active' then 5 - {{ customer_tiering.edges_below('recency', measures ~ '.recency_days') }}
        when 'lapsed' then 1
    end as r_score,
    case {{ measures }}.customer_status
        when 'active' then 1 + {{ customer_tiering.edges_below('frequency', measures ~ '.frequency') }}
        when 'lapsed' then 1
    end as f_score,
    case
        when {{ measures }}.customer_status = 'active' and {{ measures }}.monetary > 0
            then 1 + {{ customer_tiering.edges_below('monetary', measures ~ '.monetary') }}
        when {{ measures }}.customer_status in ('active', 'lapsed') then 1
    end as m_score
{%- endmacro %}
