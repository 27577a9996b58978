-- One row per company and per contact. Deleted ones are left out.
select
    'company-' || read_id(id) as customer_id,
    'company' as customer_type,
    read_text(property_name) as full_name,
    read_text(null) as email,
    read_text(property_phone) as phone,
    read_text(property_country) as country_code,
    read_text(property_state) as region,
    read_text(property_city) as city,
    read_text(property_zip) as postal_code,
    read_text(property_industry) as industry,
    read_text(property_numberofemployees) as company_size,
    read_text(property_createdate) as signed_up_at,
    read_text(property_hs_lastmodifieddate) as updated_at,
    source_file,
    source_line
from company
where
    read_boolean(is_deleted) is not true
    and read_boolean(_fivetran_deleted) is not true
union all
select
    'contact-' || read_id(id) as customer_id,
    'person' as customer_type,
    read_text(
        coalesce(read_text(property_firstname), '') || ' '
        || coalesce(read_text(property_lastname), '')
    ) as full_name,
    read_text(property_email) as email,
    read_text(property_phone) as phone,
    read_text(property_country) as country_code,
    read_text(property_state) as region,
    read_text(property_city) as city,
    read_text(property_zip) as postal_code,
    null as industry,
    null as company_size,
    read_text(property_createdate) as signed_up_at,
    read_text(property_lastmodifieddate) as updated_at,
    source_file,
    source_line
from contact
where read_boolean(_fivetran_deleted) is not true
