select
    account as customer_id,
    'company' as customer_type,
    account as full_name,
    office_location as country_code,
    sector as industry,
    -- a number, which is read by the bounds of the sizes
    employees as company_size,
    subsidiary_of as parent_customer_id
from accounts
