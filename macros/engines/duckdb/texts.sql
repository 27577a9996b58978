{% macro duckdb__sha256(text) -%}
    sha256({{ text }})
{%- endmacro %}


{% macro duckdb__random_id() -%}
    cast(uuid() as varchar)
{%- endmacro %}


{% macro duckdb__six_digits(number) -%}
    format('{:06d}', {{ number }})
{%- endmacro %}
