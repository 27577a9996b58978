{# prospect without a valid order, lapsed without one in the window, active with one; `recency` is NULL for a
   prospect, and `frequency` counts the window. #}
{% macro customer_status(recency, frequency) -%}
    case
        when {{ recency }} is null then 'prospect'
        when {{ frequency }} = 0 then 'lapsed'
        else 'active'
    end
{%- endmacro %}
