{# Since when each kind of fact is known of anybody: before, its source is not there, which is not
   the same as a customer of whom there is none. #}
with interactions as (
    select
        min(occurred_on) as interactions_from,
        min(case when channel is not null then occurred_on end) as channels_from,
        min(
            case
                when interaction_type = 'usage' and duration_seconds is not null then occurred_on
            end
        ) as usage_from,
        min(case when coalesce(interaction_type, '') <> 'usage' then occurred_on end)
            as contacts_from
    from {{ ref('int_interactions') }}
    where not is_of_unknown_customer
),

tickets as (
    select min(opened_on) as tickets_from
    from {{ ref('int_tickets') }}
    where not is_of_unknown_customer
),

referrals as (
    select min(referred_on) as referrals_from
    from {{ ref('int_referrals') }}
    where reject_reason is null
),

items as (
    select min(order_date) as categories_from
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null and category is not null
),

starts as (
    select
        items.categories_from,
        interactions.interactions_from,
        interactions.channels_from,
        interactions.usage_from,
        interactions.contacts_from,
        tickets.tickets_from,
        referrals.referrals_from
    from items
    cross join interactions
    cross join tickets
    cross join referrals
)

select * from starts
