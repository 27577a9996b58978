{# Every order that is there as of as_of_date, with what came of it. #}
with orders as (
    select * from {{ ref('int_orders') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

reversed as (
    select
        reversals.order_id,
        sum(reversals.reversed_amount_reporting) as refunded_amount,
        max(case when reversals.is_order_undone then 1 else 0 end) as is_undone
    from reversals
    inner join as_of on reversals.known_date <= as_of.as_of_date
    where reversals.reversed_amount <> 0 or reversals.is_order_undone
    group by reversals.order_id
),

outcomes as (
    select
        orders.*,
        cast(coalesce(reversed.refunded_amount, 0) as decimal(18, 2)) as refunded_amount,
        cast(
            case
                when orders.is_entered
                    then orders.order_amount_reporting - coalesce(reversed.refunded_amount, 0)
                else 0
            end as decimal(18, 2)
        ) as net_amount,
        orders.is_entered and coalesce(reversed.is_undone, 0) = 0 as is_valid
    from orders
    inner join as_of on orders.order_date <= as_of.as_of_date
    left join reversed on orders.order_id = reversed.order_id
    where not orders.is_rejected
)

select * from outcomes
