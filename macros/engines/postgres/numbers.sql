{% macro postgres__rounded_ratio(numerator, denominator) -%}
    div(cast(2 * ({{ numerator }}) + ({{ denominator }}) as numeric), cast(2 * ({{ denominator }}) as numeric))
{%- endmacro %}


{% macro postgres__whole_quotient(numerator, denominator) -%}
    div(cast({{ numerator }} as numeric), cast({{ denominator }} as numeric))
{%- endmacro %}


{% macro postgres__wide_integer_type() -%}
    numeric(38, 0)
{%- endmacro %}


{% macro postgres__quantiles(expression, fractions) -%}
    percentile_cont(array[{{ fractions | join(', ') }}]) within group (
        order by cast({{ expression }} as double precision)
    )
{%- endmacro %}


{% macro postgres__ordered_list(expression, order) -%}
    array_agg({{ expression }} order by {{ order }})
{%- endmacro %}


{% macro postgres__median_of_first(list, length) -%}
    (
        select percentile_cont(0.5) within group (order by first_values.listed)
        from unnest(({{ list }})[1:{{ length }}]) as first_values (listed)
    )
{%- endmacro %}


{% macro postgres__element(list, position) -%}
    ({{ list }})[{{ position }}]
{%- endmacro %}


{% macro postgres__fingerprint(columns) -%}
    cast(
        sum(
            9223372036854775808
            + cast(hash_record_extended(row({{ columns | join(', ') }}), 0) as numeric)
        ) as decimal(38, 0)
    )
{%- endmacro %}


{% macro postgres__in_thousands(number) -%}
    to_char(cast({{ number }} as bigint), 'FM999,999,999,999,999,999,990')
{%- endmacro %}


{% macro postgres__rounded(expression, decimals) -%}
    round(cast({{ expression }} as numeric), {{ decimals }})
{%- endmacro %}


{% macro postgres__first_in_order(expression, order) -%}
    (array_agg({{ expression }} order by {{ order }}))[1]
{%- endmacro %}


{% macro postgres__unnested(values) -%}
    unnest(array[{{ values | join(', ') }}])
{%- endmacro %}
