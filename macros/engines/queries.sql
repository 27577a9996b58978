{# How an engine is to run a query. #}

{# For a CTE that is costly or read more than once: its rows are collected. #}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'customer_tiering')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
    materialized
{%- endmacro %}
