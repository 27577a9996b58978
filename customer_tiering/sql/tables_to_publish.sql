select
    table_schema,
    table_name
from information_schema.tables
where table_catalog = 'work' and list_contains($schemas, table_schema)
order by 1, 2
