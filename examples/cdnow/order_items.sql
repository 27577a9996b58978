-- One line a row of the file, so that no row is lost in the orders: pieces are CDs.
select
    order_id,
    line_number,
    quantity,
    line_amount
from purchases
