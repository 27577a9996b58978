with landed as (
    select * from {{ source('landing', 'landed_columns') }}
),

{% for source_name, table_name in raw_tables() -%}
{{ table_name }}_counts as (
    select
        {%- for name in column_names(source_name, table_name) %}
        count({{ name }}) as {{ name }},
        {%- endfor %}
        count(*) as row_count
    from {{ source(source_name, table_name) }}
),

{% endfor -%}
filled as (
    {%- for source_name, table_name in raw_tables() %}
    {%- set is_last_table = loop.last %}
    {%- for name in column_names(source_name, table_name) %}
    select
        '{{ table_name }}' as source_table,
        '{{ name }}' as column_name,
        row_count,
        {{ name }} as rows_filled
    from {{ table_name }}_counts
    {{ 'union all' if not (is_last_table and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select
    landed.source_table,
    landed.column_name,

    cast(filled.row_count as bigint) as row_count,
    cast(filled.rows_filled as bigint) as rows_filled,

    landed.is_required,
    landed.is_landed
from landed
inner join filled
    on landed.source_table = filled.source_table and landed.column_name = filled.column_name
