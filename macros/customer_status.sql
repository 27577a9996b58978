{% macro customer_status(recency, frequency) -%}
    case
        when {{ recency }} is null then 'prospect'
        when {{ frequency }} = 0 then 'lapsed'
        else 'active'
    end
{%- endmacro %}
