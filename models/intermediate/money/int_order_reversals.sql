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
    select distinct order_id from refunds_of_orders where not is_unknown_order
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
        'cancellation' as reversal_type,

        order_amount,
        rate_to_reporting,
        order_amount as refund_amount,

        order_date,
        greatest(cancelled_on, order_date) as known_date
    from orders
    where is_entered and order_status = 'cancelled'
    union all
    select
        cast(null as {{ string_type() }}) as refund_id,
        orders.order_id,
        orders.customer_key,
        'return' as reversal_type,

        orders.order_amount,
        orders.rate_to_reporting,
        orders.order_amount as refund_amount,

        orders.order_date,
        greatest(coalesce(orders.returned_on, orders.order_date), orders.order_date) as known_date
    from orders
    left join refunded_orders on orders.order_id = refunded_orders.order_id
    where
        orders.is_entered
        and orders.order_status = 'returned'
        and refunded_orders.order_id is null
),

accumulated as (
    select
        *,
        coalesce(reversal_type in ('refund', 'cancellation', 'return'), false) as is_reversal,
        sum(
            case
                when reversal_type in ('refund', 'cancellation', 'return') then refund_amount
                else 0
            end
        ) over (
            partition by order_id
            order by
                known_date,
                case when refund_id is null then 1 else 0 end,
                refund_id
            rows between unbounded preceding and current row
        ) as refunded_so_far
    from events
),

-- an event can take at most what is left of the order
applied as (
    select
        *,
        case when is_reversal then least(refunded_so_far, order_amount) else 0 end
            as reversed_so_far,
        case when is_reversal then least(refunded_so_far - refund_amount, order_amount) else 0 end
            as reversed_before
    from accumulated
),

-- Totals are rounded and not each amount, so that nothing is left of an order that is wholly
-- given back: 3.33 of 9.99 at 7.125 takes 23.73, then 47.45 - 23.73 = 23.72, then 71.18 - 47.45.
converted as (
    select
        *,
        reversed_so_far - reversed_before as reversed_amount,
        {{ reporting_amount('reversed_so_far', 'rate_to_reporting') }}
        - {{ reporting_amount('reversed_before', 'rate_to_reporting') }}
            as reversed_amount_reporting
    from applied
),

judged as (
    select
        refund_id,
        order_id,
        customer_key,
        reversal_type,
        case
            when reversal_type = 'unknown_order' then 'unknown_order'
            when reversal_type = 'refund' and reversed_amount < refund_amount
                then 'refund_exceeds_order'
        end as reject_reason,

        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(reversed_amount as decimal(18, 2)) as reversed_amount,
        cast(
            case when reversal_type = 'refund' then refund_amount - reversed_amount else 0 end
            as decimal(18, 2)
        ) as excess_amount,
        cast(reversed_amount_reporting as decimal(18, 2)) as reversed_amount_reporting,

        is_reversal
        and case
            when reversal_type = 'cancellation'
                then order_amount = 0 or refunded_so_far - refund_amount < order_amount
            else
                order_amount > 0
                and refunded_so_far >= order_amount
                and refunded_so_far - refund_amount < order_amount
        end as is_order_undone,

        order_date,
        known_date
    from converted
)

select * from judged
