{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('crm', 'customers') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

countries as (
    select * from {{ ref('countries') }}
),

typed as (
    select
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,
        somebody(read_id(landed.parent_customer_id), nobody.words) as parent_customer_id,

        lower_case(read_text(landed.customer_type)) as customer_type,
        read_text(landed.full_name) as full_name,
        read_text(landed.email) as email,
        read_text(landed.phone) as phone,
        read_text(landed.gender) as gender,
        read_text(landed.country_code) as country_code,
        read_text(landed.region) as region,
        read_text(landed.city) as city,
        read_text(landed.postal_code) as postal_code,
        read_text(landed.industry) as industry,
        read_text(landed.company_size) as company_size,
        read_text(landed.acquisition_channel) as acquisition_channel,
        read_text(landed.owner) as owner,

        read_boolean(landed.marketing_consent) as marketing_consent,

        read_date(landed.birth_date) as birth_date,

        read_timestamp(landed.signed_up_at, {{ source_zone }}) as signed_up_at,
        read_timestamp(landed.updated_at, {{ source_zone }}) as updated_at,

        {{ raw_values('crm', 'customers') }}
    from landed
    cross join nobody
),

worded as (
    select
        typed.*,
        countries.country_code as known_country_code
    from typed
    left join countries on lower_case(typed.country_code) = lower_case(countries.country_name)
),

dated as (
    select
        *,
        business_date(signed_up_at, {{ business_zone }}) as signed_up_on,
        business_date(updated_at, {{ business_zone }}) as updated_on
    from worded
),

checked as (
    {{ checked_rows('crm', 'customers', 'dated', more=['known_country_code']) }}
),

renamed as (
    select
        customer_id,
        parent_customer_id,
        customer_type,
        full_name,
        email,
        phone,
        gender,
        known_country_code as country_code,
        region,
        city,
        postal_code,
        industry,
        company_size,
        acquisition_channel,
        owner,
        source_key,
        row_key,
        nulled_values,
        row_text,
        raw_record,
        raw_record_restricted,
        rejected_column,
        reject_reason,

        marketing_consent,
        has_nulled_values,

        birth_date,
        signed_up_on,
        updated_on,

        signed_up_at,
        updated_at
    from checked
)

select * from renamed
