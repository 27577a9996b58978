{# Texts that engines make in their own ways. #}

{% macro sha256(text) -%}
    {{ return(adapter.dispatch('sha256', 'customer_tiering')(text)) }}
{%- endmacro %}


{% macro random_id() -%}
    {{ return(adapter.dispatch('random_id', 'customer_tiering')()) }}
{%- endmacro %}


{% macro six_digits(number) -%}
    {{ return(adapter.dispatch('six_digits', 'customer_tiering')(number)) }}
{%- endmacro %}


{% macro replaced(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('replaced', 'customer_tiering')(text, pattern, replacement)) }}
{%- endmacro %}

{% macro default__replaced(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}
