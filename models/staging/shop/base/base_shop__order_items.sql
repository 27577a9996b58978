with landed as (
    select * from {{ source('shop', 'order_items') }}
),

typed as (
    select
        read_id(landed.order_id) as order_id,
        read_id(landed.product_id) as product_id,

        read_whole_number(landed.line_number) as line_number,
        read_quantity(landed.quantity) as quantity,
        read_amount(landed.line_amount) as line_amount,

        {{ raw_values('shop', 'order_items') }}
    from landed
),

checked as (
    {{ checked_rows('shop', 'order_items', 'typed') }}
)

select * from checked
