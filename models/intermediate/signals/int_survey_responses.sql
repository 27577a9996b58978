with responses as (
    select * from {{ ref('stg_survey__survey_responses') }}
),

customer_keys as (
    select * from {{ ref('int_customer_keys') }}
),

customers as (
    select customer_key from {{ ref('int_customers') }}
),

identified as (
    select
        responses.response_id,
        customers.customer_key,
        responses.survey_type,

        responses.score,

        customers.customer_key is null as is_of_unknown_customer,

        responses.responded_on,

        responses.responded_at
    from responses
    left join customer_keys on responses.customer_id = customer_keys.customer_id
    left join customers on customer_keys.customer_key = customers.customer_key
)

select * from identified
