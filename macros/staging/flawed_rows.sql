{# They are few, and their texts are made for them alone. #}
{% macro flawed_rows(source_name, table_name) %}
    select
        '{{ table_name }}' as source_table,
        source_key,
        row_key,
        rejected_column,
        reject_reason,
        nulled_values,
        raw_record,
        raw_record_restricted,
        {{ customer_tiering.source_meta(source_name, table_name, 'amount') or 'cast(null as decimal(18, 2))' }} as amount
    from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }}
    where reject_reason is not null or has_nulled_values
{% endmacro %}


{% macro accepted_rows_of_keys(source_name, table_name, keys) %}
    select
        '{{ table_name }}' as source_table,
        source_key,
        row_key,
        row_text,
        raw_record,
        raw_record_restricted,
        {{ customer_tiering.changed_at(source_name, table_name, 'base') }} as changed_at,
        {{ customer_tiering.newest_event_at(source_name, table_name, 'base') }} as newest_event_at
    from {{ ref('base_' ~ source_name ~ '__' ~ table_name) }} as base
    where
        reject_reason is null
        and row_key in (select row_key from {{ keys }} where source_table = '{{ table_name }}')
{% endmacro %}


{% macro nulled_columns(source_name, table_name) %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {{ return(customer_tiering.nulled_when_bad(
        customer_tiering.source_node(source_name, table_name).columns.values() | list
    )) }}
{% endmacro %}
