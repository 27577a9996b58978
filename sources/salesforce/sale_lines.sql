-- One row per line of a sale, of whichever kind the sales are.
select
    read_id(lines.opportunity_id) as order_id,
    read_id(lines.id) as line_id,
    read_id(lines.product_2_id) as product_id,
    read_text(lines.quantity) as quantity,
    read_text(lines.total_price) as line_amount,
    lines.source_file,
    lines.source_line
from opportunity_line_item as lines
inner join won_opportunities as sales on read_id(lines.opportunity_id) = read_id(sales.id)
where read_boolean(lines.is_deleted) is not true
union all
select
    read_id(lines.order_id) as order_id,
    read_id(lines.id) as line_id,
    read_id(lines.product_2_id) as product_id,
    read_text(lines.quantity) as quantity,
    read_text(lines.total_price) as line_amount,
    lines.source_file,
    lines.source_line
from order_item as lines
inner join activated_orders as sales on read_id(lines.order_id) = read_id(sales.id)
where
    read_boolean(lines.is_deleted) is not true
    and read_boolean(sales.is_reduction_order) is not true
