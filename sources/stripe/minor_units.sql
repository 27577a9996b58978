-- One row per currency whose minor unit is not a hundredth.
--
-- Source: https://docs.stripe.com/currencies, "Zero-decimal currencies" and "Three-decimal
--   currencies". ISK and UGX have no decimals either, but Stripe keeps writing them in hundredths
--   ("Special cases"). HUF and TWD differ in payouts only.
select
    units.currency,
    units.minor_unit
from (
    values
    ('bif', 1.000), ('clp', 1.000), ('djf', 1.000), ('gnf', 1.000), ('jpy', 1.000), ('kmf', 1.000),
    ('krw', 1.000), ('mga', 1.000), ('pyg', 1.000), ('rwf', 1.000), ('vnd', 1.000), ('vuv', 1.000),
    ('xaf', 1.000), ('xof', 1.000), ('xpf', 1.000),
    ('bhd', 0.001), ('jod', 0.001), ('kwd', 0.001), ('omr', 0.001), ('tnd', 0.001)
) as units (currency, minor_unit)
