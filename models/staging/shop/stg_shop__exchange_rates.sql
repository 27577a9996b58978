{{ deduplicated(
    'shop', 'exchange_rates',
    columns=['currency_code', 'rate_to_reporting', 'rate_date'],
) }}
