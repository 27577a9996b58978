select
    product as product_id,
    product as product_name,
    series as category,
    'product' as product_type
from source_products
