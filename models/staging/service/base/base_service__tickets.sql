{{ customer_tiering.typed_source('service', 'tickets') }}
