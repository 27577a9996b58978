-- One row per product that was sold.
--
-- Category: the vendor, as the export has no product type.
select
    product_id,
    max("Lineitem name") as product_name,
    max("Vendor") as category,
    min(source_file) as source_file,
    min(source_line) as source_line
from order_lines
where product_id is not null
group by product_id
