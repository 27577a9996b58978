{% macro duckdb__is_letters(expression, length) -%}
    regexp_full_match({{ expression }}, '[A-Za-z]{{ '{' ~ length ~ '}' }}')
{%- endmacro %}


{% macro duckdb__json_of_columns(columns, prefix) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column }}', cast({{ prefix ~ column }} as varchar){{ "," if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}


{% macro duckdb__json_value(record, name) -%}
    json_extract_string({{ record }}, {{ name }})
{%- endmacro %}
