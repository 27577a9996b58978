{{ customer_tiering.typed_source('crm', 'erasure_requests') }}
