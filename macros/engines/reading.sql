{% macro create_reading_functions() %}
    {% do run_query(adapter.dispatch('reading_functions', 'customer_tiering')()) %}
{% endmacro %}


{% macro is_letters(expression, length) -%}
    {{ return(adapter.dispatch('is_letters', 'customer_tiering')(expression, length)) }}
{%- endmacro %}


{% macro json_of_columns(columns, prefix='') -%}
    {{ return(adapter.dispatch('json_of_columns', 'customer_tiering')(columns, prefix)) }}
{%- endmacro %}


{% macro json_value(record, name) -%}
    {{ return(adapter.dispatch('json_value', 'customer_tiering')(record, name)) }}
{%- endmacro %}
