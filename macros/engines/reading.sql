{% macro create_reading_functions() %}
    {% do run_query(adapter.dispatch('reading_functions', 'customer_tiering')()) %}
{% endmacro %}


{% macro is_letters(expression, length) -%}
    {{ return(adapter.dispatch('is_letters', 'customer_tiering')(expression, length)) }}
{%- endmacro %}

{% macro default__is_letters(expression, length) -%}
    regexp_full_match({{ expression }}, '[A-Za-z]{{ '{' ~ length ~ '}' }}')
{%- endmacro %}


{% macro json_of_columns(columns, prefix='') -%}
    {{ return(adapter.dispatch('json_of_columns', 'customer_tiering')(columns, prefix)) }}
{%- endmacro %}

{% macro default__json_of_columns(columns, prefix) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column }}', cast({{ prefix ~ column }} as varchar){{ "," if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}


{% macro json_value(record, name) -%}
    {{ return(adapter.dispatch('json_value', 'customer_tiering')(record, name)) }}
{%- endmacro %}

{% macro default__json_value(record, name) -%}
    json_extract_string({{ record }}, {{ name }})
{%- endmacro %}
