{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('engagement', 'interactions') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        read_id(landed.interaction_id) as interaction_id,
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        read_text(landed.channel) as channel,
        lower_case(read_text(landed.interaction_type)) as interaction_type,

        read_whole_number(landed.duration_seconds) as duration_seconds,

        read_timestamp(landed.occurred_at, {{ source_zone }}) as occurred_at,

        {{ raw_values('engagement', 'interactions') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(occurred_at, {{ business_zone }}) as occurred_on
    from typed
),

checked as (
    {{ checked_rows('engagement', 'interactions', 'dated') }}
)

select * from checked
