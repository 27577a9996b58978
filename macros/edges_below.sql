{# Strictly below, so that equal values always count the same. #}
{% macro edges_below(metric, value) -%}
    (
        {%- for position in range(1, 5) %}
        {{ '+ ' if not loop.first }}case when {{ metric }}_edge_{{ position }} < {{ value }} then 1 else 0 end
        {%- endfor %}
    )
{%- endmacro %}
