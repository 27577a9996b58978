-- One row per refund, and per dispute that was lost.
--
-- Refunds: those that succeeded. One that is pending counts once it has.
-- Disputes: a lost one is money back to the buyer. It is dated by its beginning, as its end is not
--   known. To leave disputes out: without the second select
with money_back as (
    select
        read_id(id) as refund_id,
        read_id(charge_id) as order_id,
        read_text(created) as refunded_at,
        read_amount(amount) as amount,
        lower_case(read_text(currency)) as currency,
        source_file,
        source_line
    from refund
    where lower_case(read_text(status)) = 'succeeded'
    union all
    select
        read_id(id) as refund_id,
        read_id(charge_id) as order_id,
        read_text(created) as refunded_at,
        read_amount(amount) as amount,
        lower_case(read_text(currency)) as currency,
        source_file,
        source_line
    from dispute
    where lower_case(read_text(status)) = 'lost'
)

select
    money_back.refund_id,
    money_back.order_id,
    money_back.refunded_at,
    money_back.amount * coalesce(minor_units.minor_unit, 0.01) as refund_amount,
    money_back.source_file,
    money_back.source_line
from money_back
left join minor_units on money_back.currency = minor_units.currency
