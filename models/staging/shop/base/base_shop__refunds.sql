{{ customer_tiering.typed_source('shop', 'refunds') }}
