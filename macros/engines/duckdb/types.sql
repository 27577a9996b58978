{% macro duckdb__float_type() -%}
    double
{%- endmacro %}
