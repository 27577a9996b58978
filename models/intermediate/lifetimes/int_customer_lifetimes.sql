{# What customers have bought of all time, each by themselves. Only under tier_level group, where
   the ledger adds up groups, orders have to be read for it. #}
{%- set tier_level = setting('tier_level') -%}
with as_of as (
    select * from {{ ref('int_as_of') }}
),

ledger as (
    select * from {{ ref('int_customer_ledger') }} where '{{ tier_level }}' = 'customer'
),

scores as (
    select * from {{ ref('int_current_scores') }}
),

outcomes as (
    select *
    from {{ ref('int_order_outcomes') }}
    where '{{ tier_level }}' = 'group' and is_entered and member_key is not null
),

summed as (
    select
        ledger.customer_key,
        sum(ledger.orders_delta) as lifetime_orders,
        sum(ledger.revenue_delta) as lifetime_revenue
    from ledger
    inner join as_of on ledger.known_date <= as_of.as_of_date
    group by ledger.customer_key
),

of_customers as (
    select
        summed.customer_key,
        summed.lifetime_orders,
        summed.lifetime_revenue,
        scores.first_order_on,
        scores.last_order_on
    from summed
    left join scores on summed.customer_key = scores.customer_key
),

of_members as (
    select
        member_key as customer_key,
        count(case when is_valid then 1 end) as lifetime_orders,
        sum(net_amount) as lifetime_revenue,
        min(case when is_valid then order_date end) as first_order_on,
        max(case when is_valid then order_date end) as last_order_on
    from outcomes
    group by member_key
),

lifetimes as (
    select * from of_customers
    union all
    select * from of_members
)

select
    customer_key,

    cast(lifetime_orders as bigint) as lifetime_orders,
    cast(lifetime_revenue as decimal(18, 2)) as lifetime_revenue,

    first_order_on,
    last_order_on
from lifetimes
