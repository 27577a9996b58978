{# What campaigns of the window cost, shared over the tiers that the customers whom they contacted
   hold now. #}
with campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
),

contacts as (
    select * from {{ ref('int_campaign_contacts') }} where reject_reason is null
),

tiers as (
    select * from {{ ref('int_current_tiers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

begun as (
    select
        campaigns.campaign_id,
        campaigns.cost_amount,
        as_of.as_of_date
    from campaigns
    inner join as_of on {{ in_window('campaigns.starts_on', 'as_of.as_of_date') }}
    where campaigns.cost_amount > 0
),

contacted as (
    select distinct
        begun.campaign_id,
        contacts.customer_key
    from begun
    inner join contacts
        on
            begun.campaign_id = contacts.campaign_id
            and begun.as_of_date >= contacts.contacted_on
    where contacts.contact_group = 'treatment'
),

by_tier as (
    select
        contacted.campaign_id,
        coalesce(tiers.tier_rank, 0) as tier_rank,
        count(*) as customers
    from contacted
    left join tiers on contacted.customer_key = tiers.customer_key
    group by 1, 2
),

counted as (
    select
        *,
        sum(customers) over (partition by campaign_id) as all_customers,
        sum(customers) over (
            partition by campaign_id order by tier_rank desc
        ) as customers_from_top
    from by_tier
),

-- differences of rounded running totals: the tiers' costs add up to the campaign's
charged as (
    select
        begun.campaign_id,
        counted.tier_rank,
        counted.customers,
        begun.cost_amount,
        {{ rounded_ratio(
            cents('begun.cost_amount') ~ ' * counted.customers_from_top', 'counted.all_customers'
        ) }} as cents_from_top,
        {{ rounded_ratio(
            cents('begun.cost_amount') ~ ' * (counted.customers_from_top - counted.customers)',
            'counted.all_customers'
        ) }} as cents_above
    from begun
    left join counted on begun.campaign_id = counted.campaign_id
)

select
    campaign_id,
    tier_rank,
    customers,
    case
        when tier_rank is null then cost_amount
        else cast(cast(cents_from_top - cents_above as decimal(18, 0)) * 0.01 as decimal(18, 2))
    end as campaign_cost
from charged
