select
    schema_name,
    table_name,
    list(column_name) as column_names
from duckdb_columns()
where database_name = 'publication'
group by 1, 2
