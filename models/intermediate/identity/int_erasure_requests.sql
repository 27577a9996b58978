with erasure_requests as (
    select * from {{ ref('stg_crm__erasure_requests') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

identified as (
    select
        erasure_requests.customer_id,
        customers.customer_key,

        customers.customer_key is null as is_of_unknown_customer,

        erasure_requests.requested_at
    from erasure_requests
    left join customer_keys on erasure_requests.customer_id = customer_keys.customer_id
    left join customers on customer_keys.customer_key = customers.customer_key
)

select * from identified
