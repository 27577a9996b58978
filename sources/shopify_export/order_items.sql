-- One row per line of an order.
--
-- Amount: pieces times price, less the discount of the line. A discount of the whole order is not
--   spread over its lines.
-- Product: the SKU, else the name.
select
    order_id,
    line_number,
    product_id,
    "Lineitem quantity" as quantity,
    read_quantity("Lineitem quantity") * read_amount("Lineitem price")
    - coalesce(read_amount("Lineitem discount"), 0) as line_amount,
    source_file,
    source_line
from order_lines
