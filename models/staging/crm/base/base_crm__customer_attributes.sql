{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('crm', 'customer_attributes') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        lower_case(read_text(landed.attribute)) as attribute,
        read_text(landed.value) as value,

        read_timestamp(landed.updated_at, {{ source_zone }}) as updated_at,

        {{ raw_values('crm', 'customer_attributes') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(updated_at, {{ business_zone }}) as updated_on
    from typed
),

checked as (
    {{ checked_rows('crm', 'customer_attributes', 'dated') }}
)

select * from checked
