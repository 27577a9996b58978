with identified as (
    select * from {{ ref('int_identified_tickets') }}
),

of_known_customers as (
    select
        ticket_id,
        customer_key,
        ticket_type,

        satisfaction_score,

        opened_on,
        closed_on
    from identified
    where customer_key is not null
)

select * from of_known_customers
