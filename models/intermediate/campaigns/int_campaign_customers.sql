{# Customers are compared as they were assigned, whoever was contacted in the end. #}
with assignments as (
    select * from {{ ref('int_holdout_assignments') }}
),

contacts as (
    select * from {{ ref('int_campaign_contacts') }} where reject_reason is null
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

contacted as (
    select
        contacts.campaign_id,
        contacts.customer_key,
        max(case when contacts.contact_group = 'holdout' then 1 else 0 end) as is_held_out,
        max(case when contacts.contact_group = 'holdout' then 0 else 1 end) as is_contacted
    from contacts
    inner join as_of on contacts.contacted_on <= as_of.as_of_date
    group by contacts.campaign_id, contacts.customer_key
),

assigned as (
    select
        assignments.campaign_id,
        assignments.customer_id,
        assignments.customer_key,
        'holdout_assignments' as assigned_by,
        assignments.contact_group,
        coalesce(contacted.is_contacted, 0) as is_contacted
    from assignments
    left join contacted
        on
            assignments.campaign_id = contacted.campaign_id
            and assignments.customer_key = contacted.customer_key
    union all
    select
        contacted.campaign_id,
        customers.customer_id,
        contacted.customer_key,
        'contact_group' as assigned_by,
        case
            when contacted.is_held_out = 0 then 'treatment'
            when contacted.is_contacted = 0 then 'holdout'
            else 'left_out'
        end as contact_group,
        contacted.is_contacted
    from contacted
    inner join customers on contacted.customer_key = customers.customer_key
    where
        contacted.campaign_id not in (
            select assignments.campaign_id from assignments
        )
)

select * from assigned
