{{ customer_tiering.typed_source('shop', 'products') }}
