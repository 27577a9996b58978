{% macro reporting_amount(amount, rate) -%}
    cast({{ customer_tiering.rounded(customer_tiering.in_reporting_currency(amount, rate), 2) }} as decimal(18, 2))
{%- endmacro %}


{# A product of two decimals is widened first, as it has the places of both. #}
{% macro in_reporting_currency(amount, rate) -%}
    cast({{ amount }} as decimal(38, 2)) * {{ rate }}
{%- endmacro %}


{# Sums of such amounts would leave no room for those of others. #}
{% macro is_too_large(amount, rate) -%}
    abs({{ customer_tiering.in_reporting_currency(amount, rate) }}) > 1000000000000
{%- endmacro %}
