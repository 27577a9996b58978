-- One row per order.
--
-- Revenue: total_price, what the buyer pays, after discounts, with tax, shipping and tips. It is
--   gross: refunds.sql takes refunds off, which current_total_price no longer contains.
--   Without shipping and tips: subtotal_price and subtotal_price_set_shop_amount instead
--   Without tax: read_amount of it - coalesce(
--     read_amount(total_tax), read_amount(total_tax_set_shop_amount), 0)
-- Currency: the shop's. Amounts in the buyer's currency (presentment) are not read.
-- Dated: by processed_at, as Shopify's reports are. Of an imported order created_at is the day of
--   the import.
-- Cancelled: every order with a time in cancelled_at, paid or not.
--   By the payment alone: what stands behind else, instead of the case
-- Deleted orders are left out. To count them: without the last line
-- Test orders are marked and never count. To count them: without the line of is_test
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
