select
    order_id,
    order_item_id as line_number,
    product_id,
    -- The source has one line a piece.
    cast(1 as decimal(18, 3)) as quantity,
    cast(
        cast(price as decimal(18, 2)) + cast(freight_value as decimal(18, 2)) as decimal(18, 2)
    ) as line_amount
from source_items
