{# Strictly below, so that equal values always count the same. #}
{% macro edges_below(metric, value) -%}
    (
        {%- for position in range(1, 5) %}
        {{ '+ ' if not loop.first }}case when {{ metric }}_edge_{{ position }} < {{ value }} then 1 else 0 end
        {%- endfor %}
    )
{%- endmacro %}


{% macro quantiles_by_period(measures, period='period_index') -%}
    select
        {{ period }},
        count(*) as customers,
        {{ customer_tiering.quantiles('recency_days', [0.2, 0.4, 0.6, 0.8]) }} as recency,
        {{ customer_tiering.quantiles('frequency', [0.2, 0.4, 0.6, 0.8]) }} as frequency,
        {{ customer_tiering.quantiles('monetary', [0.2, 0.4, 0.6, 0.8]) }} as monetary
    from {{ measures }}
    where customer_status = 'active'
    group by {{ period }}
{%- endmacro %}


{# Positions are multiples of 1/5 of days, counts or cents, so three decimals are exact. #}
{% macro quantile_edges(metric) -%}
    {%- for position in range(1, 5) %}
    cast(
        {{ customer_tiering.rounded(customer_tiering.element('quantiles.' ~ metric, position), 3) }}
        as decimal(18, 4)
    ) as edge_{{ position }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro chosen_edges() -%}
    case
        when fixed_edges.metric is not null then 'fixed'
        when frozen_edges.metric is not null then 'frozen'
        else 'quantile'
    end as method,
    {%- for position in range(1, 5) %}
    coalesce(
        fixed_edges.edge_{{ position }},
        frozen_edges.edge_{{ position }},
        quantile_edges.edge_{{ position }}
    ) as edge_{{ position }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro edges_by_period(edges, period='period_index') -%}
    select
        {%- for metric in ['recency', 'frequency', 'monetary'] %}
        {%- for position in range(1, 5) %}
        max(case when metric = '{{ metric }}' then edge_{{ position }} end)
            as {{ metric }}_edge_{{ position }},
        {%- endfor %}
        {%- endfor %}
        {{ period }}
    from {{ edges }}
    group by {{ period }}
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
