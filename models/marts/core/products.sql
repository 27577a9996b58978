with products as (
    select * from {{ ref('int_products') }}
)

select
    product_id,
    product_name,
    category,
    product_type,

    is_inferred,

    first_ordered_on,
    last_ordered_on
from products
