{% macro string_type() -%}
    {{ return(adapter.dispatch('string_type', 'customer_tiering')()) }}
{%- endmacro %}

{% macro default__string_type() -%}
    varchar
{%- endmacro %}


{% macro float_type() -%}
    {{ return(adapter.dispatch('float_type', 'customer_tiering')()) }}
{%- endmacro %}
