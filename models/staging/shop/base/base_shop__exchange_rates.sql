{{ customer_tiering.typed_source('shop', 'exchange_rates') }}
