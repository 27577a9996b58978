select
    client_no as customer_id,
    client_type as customer_type,
    client_name as full_name,
    birth_date,
    gender,
    'CN' as country_code,
    province as region,
    city,
    industry,
    staff as company_size,
    opened_on as signed_up_at,
    marketing as marketing_consent
from clients
