{# How engines are told to carry out a query. #}

{# Said of a CTE that is dear to compute or read by several: its rows are collected. #}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'customer_tiering')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
    materialized
{%- endmacro %}
