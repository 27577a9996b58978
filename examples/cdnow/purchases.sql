select
    read_id(customer_id) as customer_id,
    -- The file has no order id: all that a customer buys on a day is one order, as in the
    -- published analyses of this data.
    read_id(customer_id) || '-' || replace(read_text(order_date), '-', '') as order_id,
    -- Equal rows of a day may change places: they are equal.
    row_number() over (partition by customer_id, order_date order by amount, cds) as line_number,
    cast(cds as decimal(18, 3)) as quantity,
    cast(amount as decimal(18, 2)) as line_amount,
    order_date
from cdnow_master
