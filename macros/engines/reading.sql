{# Makes, in the database, the functions that the staging models and the landing read raw values with: one plain SQL file
   an engine. #}
{% macro create_reading_functions() %}
    {% do run_query(adapter.dispatch('reading_functions', 'customer_tiering')()) %}
{% endmacro %}


{% macro is_letters(expression, length) -%}
    {{ return(adapter.dispatch('is_letters', 'customer_tiering')(expression, length)) }}
{%- endmacro %}

{% macro default__is_letters(expression, length) -%}
    regexp_full_match({{ expression }}, '[A-Za-z]{{ '{' ~ length ~ '}' }}')
{%- endmacro %}


{# A raw row as a JSON object: column names and the values as text. #}
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


{# A value of such a JSON object, by SQL of its name; NULL when it is null or not there. #}
{% macro json_value(record, name) -%}
    {{ return(adapter.dispatch('json_value', 'customer_tiering')(record, name)) }}
{%- endmacro %}

{% macro default__json_value(record, name) -%}
    json_extract_string({{ record }}, {{ name }})
{%- endmacro %}
