with orders as (
    select * from {{ ref('int_orders') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

entries as (
    select
        customer_key,

        1 as orders_delta,
        order_amount_reporting as revenue_delta,
        cast(0 as decimal(18, 2)) as refunded_amount,

        order_date,
        order_date as known_date
    from orders
    where is_entered and customer_key is not null
    union all
    select
        customer_key,

        case when is_order_undone then -1 else 0 end as orders_delta,
        -reversed_amount_reporting as revenue_delta,
        reversed_amount_reporting as refunded_amount,

        order_date,
        known_date
    from reversals
    where customer_key is not null and (reversed_amount <> 0 or is_order_undone)
),

ledger as (
    select
        customer_key,

        cast(sum(orders_delta) as integer) as orders_delta,
        cast(sum(revenue_delta) as decimal(18, 2)) as revenue_delta,
        cast(sum(refunded_amount) as decimal(18, 2)) as refunded_amount,

        order_date,
        known_date
    from entries
    group by customer_key, order_date, known_date
)

select * from ledger
