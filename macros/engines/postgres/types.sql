{% macro postgres__string_type() -%}
    text
{%- endmacro %}


{% macro postgres__float_type() -%}
    double precision
{%- endmacro %}
