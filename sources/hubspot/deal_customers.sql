-- One row per deal with a company or a contact: its customer.
--
-- Customer: the company, the primary one (type 5) first; without a company the contact.
--   Contacts alone: without the first select
-- Companies and contacts have ids of their own, which can be equal: the word before an id tells
--   them apart.
with parties as (
    select
        read_id(deal_id) as deal_id,
        'company-' || read_id(company_id) as customer_id,
        case when read_whole_number(type_id) = 5 then 1 else 2 end as preference,
        read_whole_number(company_id) as party_id
    from deal_company
    union all
    select
        read_id(deal_id) as deal_id,
        'contact-' || read_id(contact_id) as customer_id,
        3 as preference,
        read_whole_number(contact_id) as party_id
    from deal_contact
),

ordered as (
    select
        deal_id,
        customer_id,
        row_number() over (partition by deal_id order by preference, party_id) as place
    from parties
)

select deal_id, customer_id
from ordered
where place = 1
