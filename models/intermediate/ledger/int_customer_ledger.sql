with customers as (
    select customer_id, customer_key from {{ ref('int_customers') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

entries as (
    select
        customer_id,

        1 as orders_delta,
        order_amount_reporting as revenue_delta,
        cast(0 as decimal(18, 2)) as refunded_amount,

        order_date,
        order_date as known_date
    from orders
    where is_entered and customer_id is not null
    union all
    select
        customer_id,

        case when is_order_undone then -1 else 0 end as orders_delta,
        -reversed_amount_reporting as revenue_delta,
        reversed_amount_reporting as refunded_amount,

        order_date,
        known_date
    from reversals
    where customer_id is not null and (reversed_amount <> 0 or is_order_undone)
),

ledger as (
    select
        customers.customer_key,

        cast(sum(entries.orders_delta) as integer) as orders_delta,
        cast(sum(entries.revenue_delta) as decimal(18, 2)) as revenue_delta,
        cast(sum(entries.refunded_amount) as decimal(18, 2)) as refunded_amount,

        entries.order_date,
        entries.known_date
    from entries
    inner join customers on entries.customer_id = customers.customer_id
    group by customers.customer_key, entries.order_date, entries.known_date
)

select * from ledger
