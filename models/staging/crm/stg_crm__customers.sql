{{ deduplicated(
    'crm', 'customers',
    columns=[
        'customer_id', 'parent_customer_id', 'customer_type', 'full_name', 'email', 'phone',
        'gender', 'country_code', 'region', 'city', 'postal_code', 'industry', 'company_size',
        'acquisition_channel', 'owner', 'marketing_consent', 'birth_date', 'signed_up_on', 'updated_at',
    ],
) }}
