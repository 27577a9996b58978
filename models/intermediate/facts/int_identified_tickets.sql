with tickets as (
    select * from {{ ref('stg_service__tickets') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        tickets.ticket_id,
        known_ids.customer_key,
        tickets.ticket_type,

        tickets.satisfaction_score,

        tickets.opened_on,
        -- never before it was opened
        case
            when tickets.closed_on is not null then greatest(tickets.closed_on, tickets.opened_on)
        end as closed_on
    from tickets
    left join known_ids on tickets.customer_id = known_ids.customer_id
)

select * from identified
