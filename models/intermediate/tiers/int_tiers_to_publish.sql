{# What the snapshot records: every customer's tier after the last closed review. A build as of an
   earlier date than the last published one records nothing: published history is never
   rewritten. #}
with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

closed as (
    select max(period_end) as reviewed_on from {{ ref('review_periods') }} where not is_open_period
),

published as (
    {{ customer_tiering.newest_snapshot_date('published_tiers') }}
),

reviewed as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code,

        customer_periods.period_end as reviewed_on,
        cast(as_of.as_of_date as timestamp) as as_of_date
    from customer_periods
    inner join closed on customer_periods.period_end = closed.reviewed_on
    cross join as_of
    cross join published
    where published.published_on is null or as_of.as_of_date >= published.published_on
)

select * from reviewed
