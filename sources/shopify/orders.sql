-- One row per order.
--
-- Revenue: total_price, what the buyer pays, after discounts, with tax, shipping and tips, as the
--   order was placed. Refunds are taken off by refunds.sql. So it is not current_total_price, from
--   which returns are taken off already.
-- Currency: the shop's. Amounts in the buyer's currency (presentment) are not read.
-- Dated: by processed_at, as Shopify's reports are. Of an imported order created_at is the day of
--   the import.
-- Cancelled: every order with a time in cancelled_at, paid or not. To go by the payment alone: the
--   second line of the case.
-- Deleted orders are left out: without the last line they count. Test orders are marked and never
--   count.
select
    id as order_id,
    customer_id,
    coalesce(processed_at, created_at) as ordered_at,
    case
        when read_text(cancelled_at) is not null then 'cancelled'
        else coalesce(read_text(financial_status), read_text(display_financial_status))
    end as status,
    coalesce(read_text(total_price), read_text(total_price_set_shop_amount)) as order_amount,
    coalesce(
        read_text(total_discounts), read_text(total_discounts_set_shop_amount)
    ) as discount_amount,
    coalesce(read_text(currency), read_text(total_price_set_shop_currency_code)) as currency_code,
    case
        when lower_case(read_text(source_name)) in ('pos', 'point_of_sale') then 'store' else 'web'
    end as channel,
    location_id as store_id,
    test as is_test,
    cancelled_at,
    updated_at,
    source_file,
    source_line
from "order"
where read_boolean(_fivetran_deleted) is not true
