{% macro reporting_amount(amount, rate) -%}
    cast({{ customer_tiering.rounded(customer_tiering.in_reporting_currency(amount, rate), 2) }} as decimal(18, 2))
{%- endmacro %}


{# A product of two decimals is widened first, as it has the places of both. #}
{% macro in_reporting_currency(amount, rate) -%}
    cast({{ amount }} as decimal(38, 2)) * {{ rate }}
{%- endmacro %}
