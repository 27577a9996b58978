{{ customer_tiering.typed_source('crm', 'customers') }}
