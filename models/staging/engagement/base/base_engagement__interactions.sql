{{ customer_tiering.typed_source('engagement', 'interactions') }}
