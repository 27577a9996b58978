-- One row per product. Deleted ones stay, as they were sold.
select
    id as product_id,
    title as product_name,
    product_type as category,
    source_file,
    source_line
from product
