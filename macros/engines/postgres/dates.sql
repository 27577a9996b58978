{% macro postgres__date_series(first, last, step) -%}
    select cast(generate_series(
        cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval '{{ step }}'
    ) as date) as day
{%- endmacro %}


{% macro postgres__unnest_range(first, last) -%}
    generate_series({{ first }}, {{ last }} - 1)
{%- endmacro %}
