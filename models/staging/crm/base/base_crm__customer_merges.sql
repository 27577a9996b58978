{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('crm', 'customer_merges') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        somebody(read_id(landed.from_customer_id), nobody.words) as from_customer_id,
        somebody(read_id(landed.into_customer_id), nobody.words) as into_customer_id,

        read_timestamp(landed.merged_at, {{ source_zone }}) as merged_at,

        {{ raw_values('crm', 'customer_merges') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(merged_at, {{ business_zone }}) as merged_on
    from typed
),

checked as (
    {{ checked_rows('crm', 'customer_merges', 'dated') }}
)

select * from checked
