-- One row per payment back to a buyer.
--
-- A refund is a transaction of the kind refund that succeeded: what was paid back, with tax and
--   shipping. An order can have several. order_line_refund says what came back, which can differ
--   from what was paid: it is not read.
-- Dated: by processed_at, when it was paid back.
-- Currency: the shop's, as that of orders. REST has an amount in another currency, and its value in
--   the shop's only where Shopify Payments converted it: without one the currency is written behind
--   the amount, so that it is rejected and listed.
-- Transactions that only test the payment are left out, as their orders do not count either.
with refunds as (
    select
        refund.id as refund_id,
        refund.order_id,
        refund.processed_at as refunded_at,
        coalesce(read_text(refund.amount_set_shop_amount), read_text(refund.amount)) as amount,
        coalesce(
            read_text(refund.amount_set_shop_currency_code), read_text(refund.currency)
        ) as currency_code,
        -- Shopify writes what is paid back as less than zero here.
        abs(read_amount(refund.currency_exchange_final_amount)) as exchanged_amount,
        read_text(refund.currency_exchange_currency) as exchanged_currency_code,
        coalesce(
            read_text(orders.currency), read_text(orders.total_price_set_shop_currency_code)
        ) as order_currency_code,
        refund.source_file,
        refund.source_line
    from "transaction" as refund
    left join "order" as orders on read_id(refund.order_id) = read_id(orders.id)
    where
        lower_case(read_text(refund.kind)) = 'refund'
        and lower_case(read_text(refund.status)) = 'success'
        and read_boolean(refund.test) is not true
)

select
    refund_id,
    order_id,
    refunded_at,
    case
        when coalesce(currency_code = order_currency_code, true) then amount
        when exchanged_currency_code = order_currency_code then read_text(exchanged_amount)
        else amount || ' ' || currency_code
    end as refund_amount,
    source_file,
    source_line
from refunds
