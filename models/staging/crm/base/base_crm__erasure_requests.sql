{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('crm', 'erasure_requests') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        read_timestamp(landed.requested_at, {{ source_zone }}) as requested_at,

        {{ raw_values('crm', 'erasure_requests') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(requested_at, {{ business_zone }}) as requested_on
    from typed
),

checked as (
    {{ checked_rows('crm', 'erasure_requests', 'dated') }}
)

select * from checked
