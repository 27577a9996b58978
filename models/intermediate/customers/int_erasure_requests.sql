with erasure_requests as (
    select * from {{ ref('stg_crm__erasure_requests') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        erasure_requests.customer_id,
        known_ids.customer_key,

        known_ids.customer_key is null as is_of_unknown_customer,

        erasure_requests.requested_at
    from erasure_requests
    left join known_ids on erasure_requests.customer_id = known_ids.customer_id
)

select * from identified
