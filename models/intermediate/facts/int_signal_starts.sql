{# The day from which each kind of fact is known of any customer. Before it the source does not
   exist, which differs from a customer without facts. Interactions have int_input_coverage instead.
   #}
with tickets as (
    select min(opened_on) as tickets_from
    from {{ ref('int_tickets') }}
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
        tickets.tickets_from,
        referrals.referrals_from
    from items
    cross join tickets
    cross join referrals
)

select * from starts
