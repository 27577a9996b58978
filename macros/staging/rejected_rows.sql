{# What of a raw table is not taken as it stands, one row a rejected row and one a value that became NULL:
   by the table's own rules, and by `cross_table_rejects`, which compares tables. #}
{% macro rejected_rows(source_name, table_name, cross_table_rejects) %}
    {%- set base = ref('base_' ~ source_name ~ '__' ~ table_name) -%}
    {%- set newest_by = customer_tiering.source_meta(source_name, table_name, 'newest_by') -%}
    {%- set nulled_columns = customer_tiering.nulled_columns(source_name, table_name) -%}
    select
        '{{ table_name }}' as source_table,
        source_key,
        'rejected' as action,
        reject_reason,
        rejected_column as column_name,
        raw_record,
        raw_record_restricted
    from {{ base }}
    where reject_reason is not null
    {%- if nulled_columns %}
    union all
    select
        '{{ table_name }}' as source_table,
        source_key,
        'nulled' as action,
        case
            when position('|' || column_name || ':not_allowed|' in nulled_values) > 0 then 'not_allowed'
            else 'unreadable_value'
        end as reject_reason,
        column_name,
        raw_record,
        raw_record_restricted
    from {{ base }}
    inner join (
        {%- for name in nulled_columns %}
        select '{{ name }}' as column_name {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as nulled_columns on position('|' || column_name || ':' in nulled_values) > 0
    where reject_reason is null and has_nulled_values
    {%- endif %}
    union all
    select
        '{{ table_name }}' as source_table,
        winners.source_key,
        rejects.action,
        rejects.reject_reason,
        rejects.column_name,
        winners.raw_record,
        winners.raw_record_restricted
    from (
        select
            *,
            row_number() over (
                partition by row_key
                order by {% if newest_by %}{{ newest_by }} desc nulls last, {% endif %}row_text
            ) as place
        from {{ base }}
        where
            reject_reason is null
            and row_key in (
                select row_key from {{ cross_table_rejects }} where source_table = '{{ table_name }}'
            )
    ) as winners
    inner join {{ cross_table_rejects }} as rejects
        on winners.row_key = rejects.row_key and rejects.source_table = '{{ table_name }}'
    where winners.place = 1
{% endmacro %}


{# The columns of a raw table whose bad values become NULL. #}
{% macro nulled_columns(source_name, table_name) %}
    {% set names = [] %}
    {% if execute %}
        {% for column in customer_tiering.source_node(source_name, table_name).columns.values()
            if customer_tiering.is_nulled_when_bad(column) %}
            {% do names.append(column.name) %}
        {% endfor %}
    {% endif %}
    {{ return(names) }}
{% endmacro %}
