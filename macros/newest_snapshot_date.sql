{# The snapshot is looked up by name: it reads the model that asks, so a ref would be a cycle. #}
{% macro newest_snapshot_date(name) %}
    {%- set relation = adapter.get_relation(database=target.database, schema='history', identifier=name)
        if execute -%}
    {%- if relation -%}
        select cast(max(dbt_valid_from) as date) as published_on from {{ relation }}
    {%- else -%}
        select cast(null as date) as published_on
    {%- endif -%}
{% endmacro %}
