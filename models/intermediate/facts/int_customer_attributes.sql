with identified as (
    select * from {{ ref('int_identified_customer_attributes') }}
),

of_known_customers as (
    select
        customer_key,
        attribute,
        value,

        updated_at,
        max(updated_at) over (partition by customer_key, attribute) as newest_updated_at
    from identified
    where customer_key is not null
),

-- merged ids may have the same value
newest as (
    select distinct
        customer_key,
        attribute,
        value,

        updated_at
    from of_known_customers
    where updated_at is not distinct from newest_updated_at
)

select * from newest
