with matches as (
    select
        refund_id,
        order_id
    from article_matches
    union all
    select
        refund_id,
        order_id
    from credit_matches
)

select
    cancellations.refund_id,
    matches.order_id,
    cancellations.cancelled_at as refunded_at,
    cancellations.refund_amount
from cancellations
inner join matches on cancellations.refund_id = matches.refund_id
