with attributes as (
    select * from {{ ref('stg_crm__customer_attributes') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        attributes.customer_id,
        known_ids.member_key as customer_key,
        attributes.attribute,
        attributes.value,

        attributes.updated_at
    from attributes
    left join known_ids on attributes.customer_id = known_ids.customer_id
)

select * from identified
