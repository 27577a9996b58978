-- One row per activated order, where orders are the sales. Drafts are left out. Reductions are
--   among them.
--
-- Deleted ones are left out. To count them: without the line of is_deleted
-- So are former versions of a row, where the connector keeps the history of the table.
select orders.*
from "order" as orders
cross join sales
where
    sales.kind = 'order'
    and lower_case(read_text(orders.status_code)) = 'activated'
    and read_boolean(orders.is_deleted) is not true
    and read_boolean(orders._fivetran_active) is not false
