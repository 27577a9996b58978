{# Work for the service desk in the window, by the tier that customers hold now. #}
with tickets as (
    select * from {{ ref('int_tickets') }}
),

interactions as (
    select * from {{ ref('int_interactions') }}
),

tiers as (
    select * from {{ ref('int_current_tiers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

contacts as (
    select tickets.customer_key
    from tickets
    inner join as_of on {{ in_window('tickets.opened_on', 'as_of.as_of_date') }}
    union all
    select interactions.customer_key
    from interactions
    inner join as_of on {{ in_window('interactions.occurred_on', 'as_of.as_of_date') }}
    where interactions.interaction_type = 'call'
),

by_customer as (
    select
        customer_key,
        count(*) as service_contacts
    from contacts
    group by 1
),

by_tier as (
    select
        coalesce(tiers.tier_rank, 0) as tier_rank,
        count(*) as served_customers,
        cast(sum(by_customer.service_contacts) as bigint) as service_contacts
    from by_customer
    left join tiers on by_customer.customer_key = tiers.customer_key
    group by 1
)

select * from by_tier
