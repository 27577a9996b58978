{# Who is active is in the segment of the cell of their scores; lapsed and prospect are segments of their own. #}
{% macro segment(customer_status, segment_of_cell) -%}
    case when {{ customer_status }} = 'active' then {{ segment_of_cell }} else {{ customer_status }} end
{%- endmacro %}
