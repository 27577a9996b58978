-- One row per customer with an address: the default one.
with addresses as (
    select
        customer.id as customer_id,
        address.country_code,
        address.province,
        address.city,
        address.zip,
        row_number() over (partition by customer.id order by address.id) as place
    from customer
    inner join customer_address as address
        on read_id(customer.id) = read_id(address.customer_id)
    where
        read_boolean(address.is_default)
        or read_id(customer.default_address_id) = read_id(address.id)
)

select customer_id, country_code, province, city, zip
from addresses
where place = 1
