-- One row per charge: an attempt to take a payment. Those that failed never count.
--
-- Revenue: the amount of the charge, with tax and shipping, before Stripe's fees. Stripe knows
--   neither tax nor shipping of a charge, so there is no choice.
-- Captured: a charge that is only authorised is no revenue yet.
-- Test mode: a charge with livemode false is marked as a test and never counts.
--   To count them: without the line of is_test
select
    charge.id as order_id,
    charge.customer_id,
    charge.created as ordered_at,
    case
        when
            lower_case(read_text(charge.status)) = 'succeeded'
            and not read_boolean(charge.captured)
            then 'authorized'
        else read_text(charge.status)
    end as status,
    read_amount(charge.amount) * coalesce(minor_units.minor_unit, 0.01) as order_amount,
    charge.currency as currency_code,
    not read_boolean(charge.livemode) as is_test,
    charge.source_file,
    charge.source_line
from charge
left join minor_units on lower_case(read_text(charge.currency)) = minor_units.currency
