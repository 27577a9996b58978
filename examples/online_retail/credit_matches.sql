-- Then lines that name no goods (manual corrections, discounts, postage, commission), as money: the
-- newest earlier invoice of the customer that still has the amount.
with recursive numbered as (
    select
        cancellations.*,
        row_number() over (
            partition by cancellations.customer_id
            order by cancellations.cancelled_at, cancellations.refund_id
        ) as step
    from cancellations
    left join article_matches on cancellations.refund_id = article_matches.refund_id
    where
        article_matches.refund_id is null
        -- goods have five digits first
        and (
            length(cancellations.stock_code) < 5
            or translate(substring(cancellations.stock_code, 1, 5), '0123456789', '') <> ''
        )
),

refunded as (
    select
        article_matches.order_id,
        sum(cancellations.refund_amount) as refunded_amount
    from article_matches
    inner join cancellations on article_matches.refund_id = cancellations.refund_id
    group by article_matches.order_id
),

remaining as (
    select
        invoices.customer_id,
        invoices.order_id,
        invoices.ordered_at,
        cast(
            invoices.order_amount - coalesce(refunded.refunded_amount, 0) as decimal(18, 2)
        ) as amount_left,
        cast(0 as bigint) as step,
        nullif('', '') as refund_id
    from invoices
    inner join numbered on invoices.customer_id = numbered.customer_id
    left join refunded on invoices.order_id = refunded.order_id
    where numbered.step = 1

    union all

    select
        customer_id,
        order_id,
        ordered_at,
        cast(
            case when is_match then amount_left - refund_amount else amount_left end
            as decimal(18, 2)
        ) as amount_left,
        step,
        case when is_match then cancellation_id end as refund_id
    from (
        select
            attempts.*,
            is_possible and row_number() over (
                partition by customer_id
                order by is_possible desc, ordered_at desc, order_id desc
            ) = 1 as is_match
        from (
            select
                remaining.customer_id,
                remaining.order_id,
                remaining.ordered_at,
                remaining.amount_left,
                numbered.step,
                numbered.refund_amount,
                numbered.refund_id as cancellation_id,
                remaining.ordered_at < numbered.cancelled_at
                and remaining.amount_left >= numbered.refund_amount as is_possible
            from remaining
            inner join numbered
                on
                    remaining.customer_id = numbered.customer_id
                    and remaining.step + 1 = numbered.step
        ) as attempts
    ) as ranked
)

select
    refund_id,
    order_id
from remaining
where refund_id is not null
