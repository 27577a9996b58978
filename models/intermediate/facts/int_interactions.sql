with identified as (
    select * from {{ ref('int_identified_interactions') }}
),

of_known_customers as (
    select
        interaction_id,
        customer_key,
        channel,
        interaction_type,

        duration_seconds,

        occurred_on
    from identified
    where customer_key is not null
)

select * from of_known_customers
