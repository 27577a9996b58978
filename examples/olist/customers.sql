-- A person's address is that of the newest order.
with addresses as (
    select
        buyers.*,
        row_number() over (
            partition by buyers.customer_unique_id
            order by source_orders.order_purchase_timestamp desc, source_orders.order_id asc
        ) as place
    from buyers
    inner join source_orders on buyers.customer_id = source_orders.customer_id
)

select
    customer_unique_id as customer_id,
    'person' as customer_type,
    'BR' as country_code,
    customer_state as region,
    customer_city as city,
    -- read as a number, it loses its leading zeros
    right('0000' || read_id(customer_zip_code_prefix), 5) as postal_code
from addresses
where place = 1
