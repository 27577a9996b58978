-- One row per line of an order.
--
-- Amount: after the discount of the line. A discount of the whole order is not spread over its
--   lines.
select
    order_id,
    row_number() over (partition by order_id order by read_whole_number(id)) as line_number,
    product_id,
    quantity,
    coalesce(
        read_amount(original_total_set_shop_amount),
        read_quantity(quantity) * read_amount(price)
    )
    - coalesce(
        read_amount(total_discount_set_shop_amount), read_amount(total_discount), 0
    ) as line_amount,
    source_file,
    source_line
from order_line
