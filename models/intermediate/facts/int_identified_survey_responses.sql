with responses as (
    select * from {{ ref('stg_survey__survey_responses') }}
),

known_ids as (
    select * from {{ ref('int_known_customer_ids') }}
),

identified as (
    select
        responses.response_id,
        known_ids.customer_key,
        responses.survey_type,

        responses.score,

        responses.responded_on,

        responses.responded_at
    from responses
    left join known_ids on responses.customer_id = known_ids.customer_id
)

select * from identified
