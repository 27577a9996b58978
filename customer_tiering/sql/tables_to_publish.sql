select
    table_schema,
    table_name,
    list(column_name || ' ' || data_type order by ordinal_position) as column_types
from information_schema.columns
where table_catalog = $database and list_contains($schemas, table_schema)
group by 1, 2
order by 1, 2
