{% macro postgres__is_letters(expression, length) -%}
    {{ expression }} ~ '^[A-Za-z]{{ '{' ~ length ~ '}' }}$'
{%- endmacro %}


{% macro postgres__json_of_columns(columns, prefix) -%}
    '{'
    {%- for column in columns %}
    || '{{ ',' if not loop.first }}"{{ column }}":'
    || coalesce(cast(to_json(cast({{ prefix ~ column }} as text)) as text), 'null')
    {%- endfor %}
    || '}'
{%- endmacro %}


{% macro postgres__json_value(record, name) -%}
    cast({{ record }} as json) ->> substr({{ name }}, 3)
{%- endmacro %}
