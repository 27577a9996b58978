{# Ratios of sums, computed in whole numbers so that every engine rounds them alike; NULL when there is
   nothing to divide by. Both sides are not negative. #}

{# numerator / denominator, 0 to 1, to six decimals. #}
{% macro share(numerator, denominator) -%}
    case
        when {{ denominator }} > 0
            then cast(
                cast({{ customer_tiering.rounded_ratio(
                    '1000000 * ' ~ customer_tiering.cents(numerator), customer_tiering.cents(denominator)
                ) }} as decimal(18, 0)) * 0.000001 as decimal(9, 6)
            )
    end
{%- endmacro %}

{# amount / count, to cents. #}
{% macro mean_amount(amount, count) -%}
    case
        when {{ count }} > 0
            then cast(
                cast({{ customer_tiering.rounded_ratio(customer_tiering.cents(amount), count) }} as decimal(18, 0))
                * 0.01 as decimal(18, 2)
            )
    end
{%- endmacro %}
