{{ customer_tiering.typed_source('crm', 'customer_merges') }}
