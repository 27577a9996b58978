{# Ratios of sums, computed in whole numbers so that every engine rounds them alike; NULL when there is
   nothing to divide by. Both sides are not negative. #}

{% macro share(numerator, denominator) -%}
    {%- set millionths = customer_tiering.rounded_ratio(
        '1000000 * ' ~ customer_tiering.cents(numerator), customer_tiering.cents(denominator)
    ) -%}
    case
        when {{ denominator }} > 0
            then cast(cast({{ millionths }} as decimal(18, 0)) * 0.000001 as decimal(9, 6))
    end
{%- endmacro %}

{% macro mean_amount(amount, count) -%}
    {%- set mean_cents = customer_tiering.rounded_ratio(customer_tiering.cents(amount), count) -%}
    case
        when {{ count }} > 0
            then cast(cast({{ mean_cents }} as decimal(18, 0)) * 0.01 as decimal(18, 2))
    end
{%- endmacro %}
