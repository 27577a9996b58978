select
    tables.table_schema,
    tables.table_name,
    list(columns.column_name || ' ' || columns.data_type order by columns.ordinal_position)
        as column_types
from information_schema.tables as tables
inner join information_schema.columns as columns
    on
        tables.table_catalog = columns.table_catalog
        and tables.table_schema = columns.table_schema
        and tables.table_name = columns.table_name
where tables.table_catalog = $database and list_contains($schemas, tables.table_schema)
group by 1, 2
order by 1, 2
