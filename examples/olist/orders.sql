with item_totals as (
    select
        order_id,
        cast(sum(line_amount) as decimal(18, 2)) as item_amount
    from lines
    group by order_id
),

payments as (
    select
        order_id,
        cast(sum(cast(payment_value as decimal(18, 2))) as decimal(18, 2)) as paid_amount
    from source_payments
    group by order_id
)

select
    source_orders.order_id,
    -- customer_id is made anew for every order; the person is customer_unique_id.
    buyers.customer_unique_id as customer_id,
    source_orders.order_purchase_timestamp as ordered_at,
    source_orders.order_status as status,
    -- What was sold, not what was paid: payments carry the interest of instalments. An order whose
    -- items are gone (cancelled, not to be had) keeps what was paid.
    coalesce(item_totals.item_amount, payments.paid_amount, 0) as order_amount,
    'marketplace' as channel
from source_orders
inner join buyers on source_orders.customer_id = buyers.customer_id
left join item_totals on source_orders.order_id = item_totals.order_id
left join payments on source_orders.order_id = payments.order_id
