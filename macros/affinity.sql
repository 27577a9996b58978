{# The limits below bound how many pairs meet how many customers; they are no choice of a business. #}

{% macro recommendations_of_a_customer() -%}
    {{ return(3) }}
{%- endmacro %}


{% macro recommending_items() -%}
    {{ return(5) }}
{%- endmacro %}


{% macro seconds_of_an_item() -%}
    {{ return(50) }}
{%- endmacro %}


{% macro half_year(day) -%}
    (2 * extract(year from {{ day }}) + case when extract(month from {{ day }}) > 6 then 1 else 0 end)
{%- endmacro %}


{% macro ratio_of_counts(numerator, denominator) -%}
    {%- set wide = customer_tiering.wide_integer_type() -%}
    {%- set counts = [] -%}
    {%- for count in numerator + denominator -%}
        {%- do counts.append('cast(' ~ count ~ ' as ' ~ wide ~ ')') -%}
    {%- endfor -%}
    cast(
        cast({{ customer_tiering.rounded_ratio(
            '1000000 * ' ~ counts[: numerator | length] | join(' * '),
            counts[numerator | length :] | join(' * ')
        ) }} as decimal(18, 0)) * 0.000001 as decimal(18, 6)
    )
{%- endmacro %}
