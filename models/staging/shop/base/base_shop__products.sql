with landed as (
    select * from {{ source('shop', 'products') }}
),

typed as (
    select
        read_id(landed.product_id) as product_id,

        read_text(landed.product_name) as product_name,
        read_text(landed.category) as category,
        lower_case(read_text(landed.product_type)) as product_type,

        {{ raw_values('shop', 'products') }}
    from landed
),

checked as (
    {{ checked_rows('shop', 'products', 'typed') }}
)

select * from checked
