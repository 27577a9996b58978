select
    source_products.product_id,
    coalesce(
        translations.product_category_name_english, source_products.product_category_name
    ) as category
from source_products
left join product_category_name_translation as translations
    on source_products.product_category_name = translations.product_category_name
