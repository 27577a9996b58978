{% macro postgres__computed_once() -%}
    materialized
{%- endmacro %}
