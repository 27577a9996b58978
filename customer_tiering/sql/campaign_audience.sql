-- One row per customer whom a campaign contacts: hashes of e-mail address and phone, NULL for what
-- there is not or what cannot be brought into the form that advertising platforms hash.
with contacts as (
    select
        listed.customer_id,
        contacts.email,
        contacts.phone,
        regexp_replace(
            lower(contacts.email), '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g'
        ) as email_address,
        -- without the zero that is dialled at home alone, and what separates digits
        regexp_replace(
            regexp_replace(contacts.phone, '\(0\)|[\s\p{Z}\p{Pd}().·/]', '', 'g'), '^00', '+'
        ) as phone_number
    from listed
    left join latest_contacts.restricted.customer_contacts as contacts
        on listed.customer_id = contacts.customer_id
    where listed.contact_group = 'treatment' and listed.left_out_because is null
),

normalised as (
    select
        customer_id,
        email is not null as has_email,
        phone is not null as has_phone,
        case
            when regexp_full_match(email_address, '[^@\s\p{Z}]+@[^@\s\p{Z}]+\.[^@\s\p{Z}.]+')
                then email_address
        end as email_address,
        -- E.164: a plus, the prefix of a country and 7 to 15 digits in all
        case
            when regexp_full_match(phone_number, '\+[1-9][0-9]{6,14}') then phone_number
        end as phone_number
    from contacts
)

select
    customer_id,
    sha256(email_address) as email_sha256,
    sha256(phone_number) as phone_e164_sha256,
    sha256(phone_number[2:]) as phone_digits_sha256,
    has_email,
    has_phone
from normalised
