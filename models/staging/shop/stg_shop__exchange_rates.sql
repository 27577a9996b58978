{{ customer_tiering.deduplicated(
    ref('base_shop__exchange_rates'),
    key=['rate_date', 'currency_code'],
    columns=['currency_code', 'rate_to_reporting', 'rate_date'],
) }}
