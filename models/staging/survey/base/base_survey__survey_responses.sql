{%- set source_zone = source_time_zone() -%}
{%- set business_zone = business_time_zone() -%}

with landed as (
    select * from {{ source('survey', 'survey_responses') }}
),

nobody as (
    select * from {{ ref('base_crm__nobody') }}
),

typed as (
    select
        read_id(landed.response_id) as response_id,
        somebody(read_id(landed.customer_id), nobody.words) as customer_id,

        lower_case(read_text(landed.survey_type)) as survey_type,

        read_whole_number(landed.score) as score,

        read_timestamp(landed.responded_at, {{ source_zone }}) as responded_at,

        {{ raw_values('survey', 'survey_responses') }}
    from landed
    cross join nobody
),

dated as (
    select
        *,
        business_date(responded_at, {{ business_zone }}) as responded_on
    from typed
),

checked as (
    {{ checked_rows('survey', 'survey_responses', 'dated') }}
)

select * from checked
