{% macro duckdb__date_series(first, last, step) -%}
    select cast(unnest(generate_series({{ first }}, {{ last }}, interval '{{ step }}')) as date) as day
{%- endmacro %}


{% macro duckdb__unnest_range(first, last) -%}
    cast(unnest(range({{ first }}, {{ last }})) as integer)
{%- endmacro %}
