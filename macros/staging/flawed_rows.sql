{# They are few, and their texts are made for them alone. #}
{% macro flawed_rows(source_name, table_name, cross_table_rejects) %}
    {%- set base = ref('base_' ~ source_name ~ '__' ~ table_name) -%}
    {%- set has_own_fault -%}
        reject_reason is not null or has_nulled_values
    {%- endset %}
    {%- set has_fault_between_tables -%}
        reject_reason is null
        and not coalesce(has_nulled_values, false)
        and row_key in (select row_key from {{ cross_table_rejects }} where source_table = '{{ table_name }}')
    {%- endset %}
    {#- two passes rather than one with "or", for which every row's texts would be made #}
    {%- for condition in [has_own_fault, has_fault_between_tables] %}
    select
        '{{ table_name }}' as source_table,
        source_key,
        row_key,
        reject_reason,
        rejected_column,
        nulled_values,
        row_text,
        raw_record,
        raw_record_restricted,
        {{ customer_tiering.changed_at(source_name, table_name, 'base') }} as changed_at,
        {{ customer_tiering.newest_event_at(source_name, table_name, 'base') }} as newest_event_at
    from {{ base }} as base
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}


{% macro nulled_columns(source_name, table_name) %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {{ return(customer_tiering.nulled_when_bad(
        customer_tiering.source_node(source_name, table_name).columns.values() | list
    )) }}
{% endmacro %}
