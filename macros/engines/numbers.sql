{# Arithmetic in which engines differ: integers that must not be cut or turned into floats unseen. #}

{# numerator / denominator as a whole number, rounded half up. Both are whole and not negative, the
   denominator above zero. #}
{% macro rounded_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('rounded_ratio', 'customer_tiering')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__rounded_ratio(numerator, denominator) -%}
    ((2 * ({{ numerator }}) + ({{ denominator }})) // (2 * ({{ denominator }})))
{%- endmacro %}


{# The wide integer type, for products of cents. #}
{% macro wide_integer_type() -%}
    {{ return(adapter.dispatch('wide_integer_type', 'customer_tiering')()) }}
{%- endmacro %}

{% macro default__wide_integer_type() -%}
    hugeint
{%- endmacro %}


{# The linearly interpolated quantiles of a group, as one list: one pass and one sort for all of them. #}
{% macro quantiles(expression, fractions) -%}
    {{ return(adapter.dispatch('quantiles', 'customer_tiering')(expression, fractions)) }}
{%- endmacro %}

{% macro default__quantiles(expression, fractions) -%}
    quantile_cont(cast({{ expression }} as double), [{{ fractions | join(', ') }}])
{%- endmacro %}


{# The values of a group as a list, in an order. #}
{% macro ordered_list(expression, order) -%}
    {{ return(adapter.dispatch('ordered_list', 'customer_tiering')(expression, order)) }}
{%- endmacro %}

{% macro default__ordered_list(expression, order) -%}
    list({{ expression }} order by {{ order }})
{%- endmacro %}


{# The median of the first values of a list. #}
{% macro median_of_first(list, length) -%}
    {{ return(adapter.dispatch('median_of_first', 'customer_tiering')(list, length)) }}
{%- endmacro %}

{% macro default__median_of_first(list, length) -%}
    list_median({{ list }}[1:{{ length }}])
{%- endmacro %}


{# An element of a list, counted from 1. #}
{% macro element(list, position) -%}
    {{ return(adapter.dispatch('element', 'customer_tiering')(list, position)) }}
{%- endmacro %}

{% macro default__element(list, position) -%}
    {{ list }}[{{ position }}]
{%- endmacro %}


{# An amount as a whole number of cents. #}
{% macro cents(amount) -%}
    {{ return(adapter.dispatch('cents', 'customer_tiering')(amount)) }}
{%- endmacro %}

{% macro default__cents(amount) -%}
    cast(100 * cast({{ amount }} as decimal(38, 2)) as {{ customer_tiering.wide_integer_type() }})
{%- endmacro %}


{# One number for the rows of a group, whatever their order: equal rows give equal numbers, and others, but for a chance of
   one in billions of billions, another one. #}
{% macro fingerprint(columns) %}
    {{ return(adapter.dispatch('fingerprint', 'customer_tiering')(columns)) }}
{% endmacro %}

{% macro default__fingerprint(columns) -%}
    cast(sum(hash({{ columns | join(', ') }})) as decimal(38, 0))
{%- endmacro %}


{# A whole number as people read it: 1,234,567. #}
{% macro in_thousands(number) -%}
    {{ return(adapter.dispatch('in_thousands', 'customer_tiering')(number)) }}
{%- endmacro %}

{% macro default__in_thousands(number) -%}
    format('{:,}', cast({{ number }} as bigint))
{%- endmacro %}
