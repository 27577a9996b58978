{{ customer_tiering.typed_source('marketing', 'referrals') }}
