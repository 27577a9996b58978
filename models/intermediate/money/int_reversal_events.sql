{# Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with orders as (
    select * from {{ ref('int_orders') }}
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

refunds_of_orders as (
    select
        refunds.refund_id,
        refunds.refund_amount,
        orders.order_id,
        orders.order_status,
        orders.order_amount,
        orders.rate_to_reporting,
        orders.is_entered,
        orders.customer_key,
        orders.order_date,
        coalesce(orders.is_rejected, true) as is_unknown_order,
        greatest(refunds.refunded_on, orders.order_date) as known_date,
        greatest(orders.cancelled_on, orders.order_date) as cancellation_date
    from refunds
    left join orders on refunds.order_id = orders.order_id
),

refunded_orders as (
    select order_id from refunds_of_orders where not is_unknown_order
),

-- cancelled, or returned without a refund: all of the order is taken back
undone_orders as (
    select
        *,
        case order_status when 'cancelled' then cancelled_on else returned_on end as undone_on
    from orders
    where
        is_entered
        and (
            order_status = 'cancelled'
            or (
                order_status = 'returned'
                and order_id not in (select refunded_orders.order_id from refunded_orders)
            )
        )
),

events as (
    select
        refund_id,
        order_id,
        customer_key,
        case
            when is_unknown_order then 'unknown_order'
            when not is_entered then 'not_entered'
            -- pays out an amount that the cancellation has already undone
            when order_status = 'cancelled' and known_date > cancellation_date then 'settlement'
            else 'refund'
        end as reversal_type,

        order_amount,
        rate_to_reporting,
        refund_amount,

        order_date,
        known_date
    from refunds_of_orders
    union all
    select
        cast(null as {{ string_type() }}) as refund_id,
        order_id,
        customer_key,
        case order_status when 'cancelled' then 'cancellation' else 'return' end as reversal_type,

        order_amount,
        rate_to_reporting,
        order_amount as refund_amount,

        order_date,
        greatest(coalesce(undone_on, order_date), order_date) as known_date
    from undone_orders
)

select * from events
