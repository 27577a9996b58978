{# How an engine is to run a query. #}

{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'customer_tiering')()) }}
{%- endmacro %}

{% macro default__computed_once() -%}
    materialized
{%- endmacro %}
