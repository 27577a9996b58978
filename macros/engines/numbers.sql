{# Arithmetic in which engines differ: integers that must not be cut or turned into floats unseen. #}

{% macro rounded_ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('rounded_ratio', 'customer_tiering')(numerator, denominator)) }}
{%- endmacro %}


{% macro whole_quotient(numerator, denominator) -%}
    {{ return(adapter.dispatch('whole_quotient', 'customer_tiering')(numerator, denominator)) }}
{%- endmacro %}


{% macro wide_integer_type() -%}
    {{ return(adapter.dispatch('wide_integer_type', 'customer_tiering')()) }}
{%- endmacro %}


{% macro quantiles(expression, fractions) -%}
    {{ return(adapter.dispatch('quantiles', 'customer_tiering')(expression, fractions)) }}
{%- endmacro %}


{% macro ordered_list(expression, order) -%}
    {{ return(adapter.dispatch('ordered_list', 'customer_tiering')(expression, order)) }}
{%- endmacro %}


{% macro first_in_order(expression, order) -%}
    {{ return(adapter.dispatch('first_in_order', 'customer_tiering')(expression, order)) }}
{%- endmacro %}


{% macro median_of_first(list, length) -%}
    {{ return(adapter.dispatch('median_of_first', 'customer_tiering')(list, length)) }}
{%- endmacro %}


{% macro element(list, position) -%}
    {{ return(adapter.dispatch('element', 'customer_tiering')(list, position)) }}
{%- endmacro %}


{% macro unnested(values) -%}
    {{ return(adapter.dispatch('unnested', 'customer_tiering')(values)) }}
{%- endmacro %}


{% macro cents(amount) -%}
    {{ return(adapter.dispatch('cents', 'customer_tiering')(amount)) }}
{%- endmacro %}

{% macro default__cents(amount) -%}
    cast(100 * cast({{ amount }} as decimal(38, 2)) as {{ customer_tiering.wide_integer_type() }})
{%- endmacro %}


{% macro fingerprint(columns) %}
    {{ return(adapter.dispatch('fingerprint', 'customer_tiering')(columns)) }}
{% endmacro %}


{% macro in_thousands(number) -%}
    {{ return(adapter.dispatch('in_thousands', 'customer_tiering')(number)) }}
{%- endmacro %}


{% macro rounded(expression, decimals) -%}
    {{ return(adapter.dispatch('rounded', 'customer_tiering')(expression, decimals)) }}
{%- endmacro %}
