with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

known_ledger as (
    select ledger.*
    from ledger
    inner join as_of on ledger.known_date <= as_of.as_of_date
),

-- after the day itself orders can only be undone, so few days need to be looked at
touched as (
    select distinct customer_key, order_date
    from known_ledger
    where orders_delta < 0 or (orders_delta = 0 and known_date = order_date)
),

accumulated as (
    select
        known_ledger.customer_key,
        known_ledger.order_date,
        known_ledger.known_date,
        sum(known_ledger.orders_delta) over (
            partition by known_ledger.customer_key, known_ledger.order_date
            order by known_ledger.known_date
        ) as net_orders
    from known_ledger
    inner join touched
        on
            known_ledger.customer_key = touched.customer_key
            and known_ledger.order_date = touched.order_date
),

undone as (
    select
        customer_key,
        order_date,
        min(known_date) as undone_on
    from accumulated
    where net_orders <= 0
    group by customer_key, order_date
)

select * from undone
