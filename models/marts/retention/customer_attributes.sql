with attributes as (
    select * from {{ ref('int_customer_attributes') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
)

select
    customers.customer_id,
    attributes.attribute,
    attributes.value,

    attributes.updated_at
from attributes
inner join customers on attributes.customer_key = customers.customer_key
