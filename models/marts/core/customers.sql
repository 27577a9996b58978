with customers as (
    select * from {{ ref('int_customers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

lifetimes as (
    select * from {{ ref('int_customer_lifetimes') }}
),

scores as (
    select * from {{ ref('int_current_scores') }}
),

tiers as (
    select * from {{ ref('int_current_tiers') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

habits as (
    select
        reviews.customer_id,
        reviews.demand_type,
        reviews.favourite_category,
        reviews.favourite_channel,
        reviews.channel_mix
    from {{ ref('customer_periods') }} as reviews
    inner join newest_period on reviews.period_end = newest_period.period_end
),

stages as (
    select
        all_stages.customer_key,
        all_stages.lifecycle_stage
    from {{ ref('int_lifecycle_stages') }} as all_stages
    inner join newest_period on all_stages.period_index = newest_period.period_index
),

classic_stages as (
    select distinct lifecycle_stage, classic_stage from {{ ref('lifecycle') }}
),

balances as (
    select * from {{ ref('int_current_balances') }}
),

age_bands as (
    select * from {{ ref('age_bands') }}
),

-- who is reviewed: a customer, or the root of their group for all members
reviewed as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

aged as (
    select
        customers.customer_key,
        extract(year from as_of.as_of_date) - extract(year from customers.birth_date)
        - case
            when {{ month_day('as_of.as_of_date') }}
                < {{ month_day('customers.birth_date') }} then 1
            else 0
        end as age
    from customers
    cross join as_of
    where customers.birth_date <= as_of.as_of_date
)

select
    customers.customer_id,
    customers.parent_customer_id,
    customers.root_customer_id,
    reviewed.customer_id as reviewed_customer_id,
    customers.customer_type,
    customers.country_code,
    customers.region,
    customers.city,
    age_bands.age_band,
    customers.gender,
    customers.industry,
    customers.industry_group,
    customers.industry_in_source,
    customers.company_size,
    customers.company_size_in_source,
    customers.acquisition_channel,
    coalesce(stages.lifecycle_stage, 'prospect') as lifecycle_stage,
    classic_stages.classic_stage,
    coalesce(scores.value_class, 'none') as value_class,
    scores.purchasing_power,
    scores.purchase_frequency_band,
    coalesce(scores.buyer_type, 'none') as buyer_type,
    habits.demand_type,
    habits.favourite_category,
    habits.favourite_channel,
    habits.channel_mix,
    coalesce(scores.segment_code, 'prospect') as segment_code,
    coalesce(tiers.tier_code, 'none') as tier_code,
    balances.high_net_worth,

    customers.group_depth,
    cast(coalesce(lifetimes.lifetime_orders, 0) as bigint) as lifetime_orders,
    cast(coalesce(lifetimes.lifetime_revenue, 0) as decimal(18, 2)) as lifetime_revenue,
    scores.management_score,
    scores.star_rating,
    coalesce(tiers.tier_rank, 0) as tier_rank,
    balances.newest_balance,
    balances.average_balance,

    customers.has_marketing_consent,
    customers.is_erased,
    customers.is_inferred,

    customers.signed_up_on,
    lifetimes.first_order_on,
    lifetimes.last_order_on,
    tiers.tier_since
from customers
inner join reviewed on customers.group_key = reviewed.customer_key
left join scores on customers.group_key = scores.customer_key
left join tiers on customers.group_key = tiers.customer_key
left join stages on customers.group_key = stages.customer_key
left join classic_stages
    on coalesce(stages.lifecycle_stage, 'prospect') = classic_stages.lifecycle_stage
left join habits on reviewed.customer_id = habits.customer_id
left join balances on customers.group_key = balances.customer_key
left join lifetimes on customers.customer_key = lifetimes.customer_key
left join aged on customers.customer_key = aged.customer_key
left join age_bands on aged.age between age_bands.age_from and age_bands.age_to
