-- One row per order.
--
-- Revenue: what the buyer pays, after discounts, with tax and shipping, as refunds always are.
--   Without shipping: "Subtotal" as order_amount
--   Without tax: read_amount("Total") - read_amount("Taxes") as order_amount
-- Cancelled: every order with a time in "Cancelled at", paid or not.
--   By the payment alone: "Financial Status" as status
-- Channel: pos is the store; web, drafts of the staff and apps are online.
select
    order_id,
    customer_id,
    "Created at" as ordered_at,
    case when "Cancelled at" is not null then 'cancelled' else "Financial Status" end as status,
    "Total" as order_amount,
    "Discount Amount" as discount_amount,
    "Currency" as currency_code,
    case when lower_case("Source") = 'pos' then 'store' else 'web' end as channel,
    "Location" as store_id,
    "Cancelled at" as cancelled_at,
    source_file,
    source_line
from order_heads
