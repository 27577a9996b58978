with orders as (
    select * from {{ ref('int_order_outcomes') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

lifetimes as (
    select * from {{ ref('int_customer_lifetimes') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

states as (
    select * from {{ ref('int_tier_states') }} where tier_rank > 0
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

valid_orders as (
    select order_id, member_key, order_date, ordered_at
    from {{ ref('int_order_outcomes') }}
    where is_valid
),

first_orders as (
    select
        valid_orders.order_id,
        row_number() over (
            partition by valid_orders.member_key
            order by valid_orders.ordered_at, valid_orders.order_id
        ) as place
    from valid_orders
    inner join lifetimes
        on
            valid_orders.member_key = lifetimes.customer_key
            and valid_orders.order_date = lifetimes.first_order_on
)

select
    orders.order_id,
    customers.customer_id,
    orders.order_status as status,
    orders.channel,
    orders.store_id,
    orders.currency_code,
    tier_names.tier_code as tier_code_at_order,

    orders.order_amount,
    orders.discount_amount,
    orders.order_amount_reporting,
    orders.refunded_amount,
    orders.net_amount,

    orders.is_valid,
    orders.is_test,
    first_orders.place is not null as is_first_order,

    orders.order_date,

    orders.ordered_at
from orders
left join customers on orders.member_key = customers.customer_key
left join first_orders on orders.order_id = first_orders.order_id and first_orders.place = 1
left join days on orders.order_date = days.date_day
-- the review before the order's own period is the last one closed before it
left join states
    on orders.customer_key = states.customer_key and days.period_index - 1 = states.period_index
-- a guest is no customer, and so not one without a tier
left join tier_names
    on
        case when orders.customer_key is not null then coalesce(states.tier_rank, 0) end
        = tier_names.tier_rank
