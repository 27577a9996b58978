-- One row per product. Deleted ones stay, as they were sold.
select
    id as product_id,
    name as product_name,
    family as category,
    source_file,
    source_line
from product_2
