-- One row per customer.
--
-- Deleted customers and those of the test mode are left out. Charges of a deleted one stay, under
--   its id.
select
    id as customer_id,
    name as full_name,
    email,
    phone,
    address_country as country_code,
    address_state as region,
    address_city as city,
    address_postal_code as postal_code,
    created as signed_up_at,
    source_file,
    source_line
from customer
where read_boolean(is_deleted) is not true and read_boolean(livemode) is not false
