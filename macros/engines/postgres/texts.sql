{% macro postgres__sha256(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}


{% macro postgres__random_id() -%}
    cast(gen_random_uuid() as text)
{%- endmacro %}


{% macro postgres__six_digits(number) -%}
    lpad(cast({{ number }} as text), greatest(6, length(cast({{ number }} as text))), '0')
{%- endmacro %}
