{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('marketing', 'campaign_contacts') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        read_id(landed.campaign_id) as campaign_id,
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        lower_case(read_text(landed.contact_group)) as contact_group,

        read_timestamp(landed.contacted_at, {{ source_zone }}) as contacted_at,

        {{ raw_values('marketing', 'campaign_contacts') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(contacted_at, {{ business_zone }}) as contacted_on
    from typed
),

checked as (
    {{ checked_rows('marketing', 'campaign_contacts', 'dated') }}
)

select * from checked
