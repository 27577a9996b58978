with flawed as (
    {%- for source_name, table_name in raw_tables() %}
    {{ flawed_rows(source_name, table_name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from flawed
