select
    read_id(product_id) as product_id,
    nullif(concat_ws(', ', product_type, package_size), '') as product_name,
    product_category as category
from source_products
