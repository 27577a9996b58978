with events as (
    select * from {{ ref('int_reversal_events') }}
),

effective as (
    select
        *,
        case
            when reversal_type in ('refund', 'cancellation', 'return') then refund_amount else 0
        end as effective_amount
    from events
),

accumulated as (
    select
        *,
        sum(effective_amount) over (
            partition by order_id
            order by
                known_date,
                case when refund_id is null then 1 else 0 end,
                refund_id
            rows between unbounded preceding and current row
        ) as refunded_so_far
    from effective
),

-- an event can take at most what is left of the order
applied as (
    select
        *,
        refunded_so_far - effective_amount as refunded_before,
        least(refunded_so_far, order_amount) as reversed_so_far,
        least(refunded_so_far - effective_amount, order_amount) as reversed_before
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

        case
            when reversal_type = 'cancellation'
                then order_amount = 0 or refunded_before < order_amount
            when reversal_type in ('refund', 'return')
                then
                    order_amount > 0
                    and refunded_so_far >= order_amount
                    and refunded_before < order_amount
            else false
        end as is_order_undone,

        order_date,
        known_date
    from converted
)

select * from judged
