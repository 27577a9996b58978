{# What the snapshot records: every customer's tier after the last closed review. A build as of an
   earlier date than the last published one records nothing: published history is never
   rewritten. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

closed as (
    select
        max(period_index) as period_index,
        max(period_end) as reviewed_on
    from {{ ref('int_review_periods') }}
    where not is_open_period
),

published as (
    {{ newest_snapshot_date('published_tiers') }}
),

reviewed as (
    select
        customers.customer_id,
        tier_names.tier_code,

        closed.reviewed_on,
        cast(as_of.as_of_date as timestamp) as as_of_date
    from states
    inner join closed on states.period_index = closed.period_index
    inner join customers on states.customer_key = customers.customer_key
    inner join tier_names on states.tier_rank = tier_names.tier_rank
    cross join as_of
    cross join published
    where published.published_on is null or as_of.as_of_date >= published.published_on
)

select * from reviewed
