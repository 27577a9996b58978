with contacts as (
    select * from {{ ref('stg_marketing__campaign_contacts') }}
),

campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        contacts.campaign_id,
        contacts.customer_id,
        known_ids.customer_key,
        contacts.contact_group,
        case
            when campaigns.campaign_id is null then 'unknown_campaign'
            when known_ids.customer_key is null then 'unknown_customer'
        end as reject_reason,

        contacts.contacted_on
    from contacts
    left join campaigns on contacts.campaign_id = campaigns.campaign_id
    left join known_ids on contacts.customer_id = known_ids.customer_id
)

select * from identified
