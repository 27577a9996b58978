{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('marketing', 'referrals') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        read_id(landed.referral_id) as referral_id,
        somebody(read_id(landed.referrer_customer_id), nobody.words) as referrer_customer_id,
        somebody(read_id(landed.referred_customer_id), nobody.words) as referred_customer_id,

        read_timestamp(landed.referred_at, {{ source_zone }}) as referred_at,
        read_timestamp(landed.converted_at, {{ source_zone }}) as converted_at,

        {{ raw_values('marketing', 'referrals') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(referred_at, {{ business_zone }}) as referred_on,
        business_date(converted_at, {{ business_zone }}) as converted_on
    from typed
),

checked as (
    {{ checked_rows('marketing', 'referrals', 'dated') }}
)

select * from checked
