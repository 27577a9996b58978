with tickets as (
    select * from {{ ref('stg_service__tickets') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

identified as (
    select
        tickets.ticket_id,
        customers.customer_key,
        tickets.ticket_type,

        tickets.satisfaction_score,

        customers.customer_key is null as is_of_unknown_customer,

        tickets.opened_on,
        -- never before it was opened
        case
            when tickets.closed_on is not null then greatest(tickets.closed_on, tickets.opened_on)
        end as closed_on
    from tickets
    left join customer_keys on tickets.customer_id = customer_keys.customer_id
    left join customers on customer_keys.customer_key = customers.customer_key
)

select * from identified
