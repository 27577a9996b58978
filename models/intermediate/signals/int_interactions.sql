with interactions as (
    select * from {{ ref('stg_engagement__interactions') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

identified as (
    select
        interactions.interaction_id,
        customers.customer_key,
        interactions.channel,
        interactions.interaction_type,

        interactions.duration_seconds,

        customers.customer_key is null as is_of_unknown_customer,

        interactions.occurred_on
    from interactions
    left join customer_keys on interactions.customer_id = customer_keys.customer_id
    left join customers on customer_keys.customer_key = customers.customer_key
)

select * from identified
