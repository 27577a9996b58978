-- One row per account. Deleted accounts are left out, merged ones among them.
select
    id as customer_id,
    case when read_boolean(is_person_account) then 'person' else 'company' end as customer_type,
    name as full_name,
    person_email as email,
    phone,
    coalesce(read_text(billing_country_code), read_text(billing_country)) as country_code,
    billing_state as region,
    billing_city as city,
    billing_postal_code as postal_code,
    industry,
    read_text(number_of_employees) as company_size,
    parent_id as parent_customer_id,
    account_source as acquisition_channel,
    created_date as signed_up_at,
    last_modified_date as updated_at,
    source_file,
    source_line
from account
where
    read_boolean(is_deleted) is not true
    and read_boolean(_fivetran_active) is not false
