{{ customer_tiering.typed_source('shop', 'order_items') }}
