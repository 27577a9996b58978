-- One row per customer.
--
-- Consent: only the state SUBSCRIBED is one; PENDING and all others are none.
select
    customer.id as customer_id,
    'person' as customer_type,
    read_text(
        coalesce(read_text(customer.first_name), '') || ' '
        || coalesce(read_text(customer.last_name), '')
    ) as full_name,
    customer.email,
    customer.phone,
    default_addresses.country_code,
    default_addresses.province as region,
    default_addresses.city,
    default_addresses.zip as postal_code,
    case
        when read_text(customer.email_marketing_consent_state) is null
            then read_boolean(customer.accepts_marketing)
        else lower_case(read_text(customer.email_marketing_consent_state)) = 'subscribed'
    end as marketing_consent,
    customer.created_at as signed_up_at,
    customer.updated_at,
    customer.source_file,
    customer.source_line
from customer
left join default_addresses on customer.id = default_addresses.customer_id
