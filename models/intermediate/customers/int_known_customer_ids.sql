{# Every id by which a customer is known: a fact that names one of them is that customer's. #}
with customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

known as (
    select
        customer_keys.customer_id,
        customer_keys.group_key as customer_key,
        customer_keys.customer_key as member_key
    from customer_keys
    inner join customers on customer_keys.customer_key = customers.customer_key
)

select * from known
