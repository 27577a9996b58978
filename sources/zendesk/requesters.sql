-- One row per person who asks for help: their id in Zendesk, and their id as a customer.
--
-- Customer: the e-mail address in small letters. Where external_id has the shop's id of the
--   customer, write read_id(external_id) as customer_id
select
    read_id(id) as requester_id,
    lower_case(read_text(email)) as customer_id
from "user"
where lower_case(read_text(role)) = 'end-user'
