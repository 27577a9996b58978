{# Lists name customers as they were known then; ids merged since are one customer. #}
with published as (
    select * from {{ ref('int_published_holdouts') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

identified as (
    select
        published.*,
        customers.customer_key,
        customers.customer_id as known_customer_id
    from published
    inner join as_of on published.assigned_on <= as_of.as_of_date
    inner join known_ids on published.customer_id = known_ids.customer_id
    inner join customers on known_ids.customer_key = customers.customer_key
),

resolved as (
    select
        campaign_id,
        customer_key,
        known_customer_id as customer_id,
        case
            when min(contact_group) = max(contact_group) then min(contact_group)
            else 'left_out'
        end as contact_group,
        coalesce(
            min(case when customer_id = known_customer_id then tier_code end), min(tier_code)
        ) as tier_code,

        max(case when is_preliminary then 1 else 0 end) = 1 as is_preliminary,

        max(reviewed_on) as reviewed_on,
        max(assigned_on) as assigned_on
    from identified
    group by campaign_id, customer_key, known_customer_id
)

select * from resolved
