{% macro duckdb__rounded_ratio(numerator, denominator) -%}
    ((2 * ({{ numerator }}) + ({{ denominator }})) // (2 * ({{ denominator }})))
{%- endmacro %}


{% macro duckdb__whole_quotient(numerator, denominator) -%}
    (({{ numerator }}) // ({{ denominator }}))
{%- endmacro %}


{% macro duckdb__wide_integer_type() -%}
    hugeint
{%- endmacro %}


{% macro duckdb__quantiles(expression, fractions) -%}
    quantile_cont(cast({{ expression }} as double), [{{ fractions | join(', ') }}])
{%- endmacro %}


{% macro duckdb__ordered_list(expression, order) -%}
    list({{ expression }} order by {{ order }})
{%- endmacro %}


{% macro duckdb__median_of_first(list, length) -%}
    list_median({{ list }}[1:{{ length }}])
{%- endmacro %}


{% macro duckdb__element(list, position) -%}
    {{ list }}[{{ position }}]
{%- endmacro %}


{% macro duckdb__fingerprint(columns) -%}
    cast(sum(hash({{ columns | join(', ') }})) as decimal(38, 0))
{%- endmacro %}


{% macro duckdb__in_thousands(number) -%}
    format('{:,}', cast({{ number }} as bigint))
{%- endmacro %}


{% macro duckdb__first_in_order(expression, order) -%}
    first({{ expression }} order by {{ order }})
{%- endmacro %}


{% macro duckdb__unnested(values) -%}
    unnest([{{ values | join(', ') }}])
{%- endmacro %}


{% macro duckdb__rounded(expression, decimals) -%}
    round({{ expression }}, {{ decimals }})
{%- endmacro %}
