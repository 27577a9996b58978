{% macro segment(customer_status, segment_of_cell) -%}
    case when {{ customer_status }} = 'active' then {{ segment_of_cell }} else {{ customer_status }} end
{%- endmacro %}
