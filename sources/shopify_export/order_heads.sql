-- One row per order: the first of its lines in the export. It alone has what belongs to the whole
--   order.
--
-- Key: Id. Name (#1001) is the key only where there is no Id, as names can be changed and repeated.
-- Customer: the e-mail address in small letters, else the phone. An order without both is a
--   guest's.
select
    orders_export.*,
    coalesce("Id", "Name") as order_id,
    coalesce(lower_case(read_text("Email")), read_text("Phone")) as customer_id
from orders_export
where coalesce("Financial Status", "Total") is not null
