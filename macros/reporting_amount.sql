{# An amount in the reporting currency: rounded once, to cents, half away from zero. #}
{% macro reporting_amount(amount, rate) -%}
    cast(round({{ amount }} * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}
