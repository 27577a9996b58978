with identified as (
    select * from {{ ref('int_identified_survey_responses') }}
),

of_known_customers as (
    select
        response_id,
        customer_key,
        survey_type,

        score,

        responded_on,

        responded_at
    from identified
    where customer_key is not null
)

select * from of_known_customers
