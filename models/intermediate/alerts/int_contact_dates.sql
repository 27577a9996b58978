{# When a customer was last in contact with the business, and is to be again. Visits and use are no
   contact with a person. #}
with customers as (
    select * from {{ ref('int_customers') }}
),

tiers as (
    select * from {{ ref('int_current_tiers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

contacts as (
    select
        customer_key,
        occurred_on as contacted_on
    from {{ ref('int_interactions') }}
    where interaction_type in ('call', 'message')
    union all
    select
        customer_key,
        opened_on as contacted_on
    from {{ ref('int_tickets') }}
),

last_contacts as (
    select
        contacts.customer_key,
        max(contacts.contacted_on) as last_contact_on
    from contacts
    inner join as_of on contacts.contacted_on <= as_of.as_of_date
    group by contacts.customer_key
),

rhythms as (
    select
        tier_rank_from,
        lead(tier_rank_from) over (order by tier_rank_from) as next_tier_rank_from,
        days_between_contacts
    from {{ ref('contact_rhythms') }}
),

dated as (
    select
        customers.customer_id,
        last_contacts.last_contact_on,
        coalesce(
            last_contacts.last_contact_on + rhythms.days_between_contacts, as_of.as_of_date
        ) as next_contact_on
    from customers
    cross join as_of
    left join tiers on customers.customer_key = tiers.customer_key
    left join last_contacts on customers.customer_key = last_contacts.customer_key
    inner join rhythms
        on
            coalesce(tiers.tier_rank, 0) >= rhythms.tier_rank_from
            and (
                rhythms.next_tier_rank_from is null
                or coalesce(tiers.tier_rank, 0) < rhythms.next_tier_rank_from
            )
)

select * from dated
