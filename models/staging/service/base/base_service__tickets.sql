{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('service', 'tickets') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        read_id(landed.ticket_id) as ticket_id,
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        lower_case(read_text(landed.ticket_type)) as ticket_type,
        lower_case(read_text(landed.severity)) as severity,

        read_whole_number(landed.satisfaction_score) as satisfaction_score,

        read_timestamp(landed.opened_at, {{ source_zone }}) as opened_at,
        read_timestamp(landed.closed_at, {{ source_zone }}) as closed_at,

        {{ raw_values('service', 'tickets') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(opened_at, {{ business_zone }}) as opened_on,
        business_date(closed_at, {{ business_zone }}) as closed_on
    from typed
),

checked as (
    {{ checked_rows('service', 'tickets', 'dated') }}
)

select * from checked
