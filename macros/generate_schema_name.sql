{# On PostgreSQL readers see what a refresh has published under these names, beside what is being built. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {% set name = custom_schema_name | trim if custom_schema_name else target.schema %}
    {% set is_published = target.type == 'postgres' and name in ('marts', 'quality', 'restricted') %}
    {{ return('work_' ~ name if is_published else name) }}
{%- endmacro %}
