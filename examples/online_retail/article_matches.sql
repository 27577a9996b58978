-- First by article: the newest earlier invoice of the customer that still has all the pieces, at
-- the very price if there is one, never at a lower one: nobody gets back more than was paid.
with recursive numbered as (
    select
        cancellations.*,
        row_number() over (
            partition by customer_id, stock_code order by cancelled_at, refund_id
        ) as step
    from cancellations
),

remaining as (
    select
        lines.customer_id,
        lines.stock_code,
        lines.unit_price,
        lines.invoice_no as order_id,
        min(lines.invoice_date) as ordered_at,
        sum(lines.quantity) as quantity_left,
        cast(0 as bigint) as step,
        nullif('', '') as refund_id
    from lines
    inner join numbered
        on lines.customer_id = numbered.customer_id and lines.stock_code = numbered.stock_code
    where lines.line_type = 'sale' and numbered.step = 1
    group by lines.customer_id, lines.stock_code, lines.unit_price, lines.invoice_no

    union all

    -- One step is one cancellation of each customer and article; refund_id marks what it took.
    select
        customer_id,
        stock_code,
        unit_price,
        order_id,
        ordered_at,
        case when is_match then quantity_left - cancelled_quantity else quantity_left end
            as quantity_left,
        step,
        case when is_match then cancellation_id end as refund_id
    from (
        select
            attempts.*,
            is_possible and row_number() over (
                partition by customer_id, stock_code
                order by
                    is_possible desc,
                    is_very_price desc,
                    ordered_at desc,
                    order_id desc,
                    unit_price asc
            ) = 1 as is_match
        from (
            select
                remaining.customer_id,
                remaining.stock_code,
                remaining.unit_price,
                remaining.order_id,
                remaining.ordered_at,
                remaining.quantity_left,
                numbered.step,
                numbered.quantity as cancelled_quantity,
                numbered.refund_id as cancellation_id,
                remaining.unit_price = numbered.unit_price as is_very_price,
                remaining.ordered_at < numbered.cancelled_at
                and remaining.quantity_left >= numbered.quantity
                and remaining.unit_price >= numbered.unit_price as is_possible
            from remaining
            inner join numbered
                on
                    remaining.customer_id = numbered.customer_id
                    and remaining.stock_code = numbered.stock_code
                    and remaining.step + 1 = numbered.step
        ) as attempts
    ) as ranked
)

select
    refund_id,
    order_id
from remaining
where refund_id is not null
