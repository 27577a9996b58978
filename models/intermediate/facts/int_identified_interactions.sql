with interactions as (
    select * from {{ ref('stg_engagement__interactions') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        interactions.interaction_id,
        known_ids.customer_key,
        interactions.channel,
        interactions.interaction_type,

        interactions.duration_seconds,

        interactions.occurred_on
    from interactions
    left join known_ids on interactions.customer_id = known_ids.customer_id
)

select * from identified
