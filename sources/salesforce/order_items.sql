-- One row per line of a sale, numbered by its id.
select
    order_id,
    row_number() over (partition by order_id order by line_id) as line_number,
    product_id,
    quantity,
    line_amount,
    source_file,
    source_line
from sale_lines
