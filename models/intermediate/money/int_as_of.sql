with orders as (
    select * from {{ ref('int_orders') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

known_days as (
    select order_date as known_date
    from orders
    where is_entered
    union all
    select known_date
    from reversals
    where
        (reversed_amount <> 0 or is_order_undone)
        -- a refund or return announced for a later day is not known yet
        and known_date <= {{ run_date() }}
),

newest_day as (
    select max(known_date) as known_date from known_days
),

as_of as (
    select {{ as_of_date('known_date') }} as as_of_date
    from newest_day
)

select * from as_of
