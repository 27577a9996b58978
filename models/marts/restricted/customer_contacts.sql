with customers as (
    select * from {{ ref('int_customers') }}
)

select
    customer_id,
    full_name,
    email,
    phone,
    postal_code,
    owner,

    birth_date
from customers
where not is_inferred and not is_erased
