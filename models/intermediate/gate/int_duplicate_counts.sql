with counted as (
    {%- for source_name, table_name in raw_tables() %}
    select *
    from (
        {{ duplicate_counts(source_name, table_name) }}
    ) as duplicate_{{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from counted
