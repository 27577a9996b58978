select
    lines.order_id,
    row_number() over (partition by lines.order_id order by lines.product_id) as line_number,
    lines.product_id,
    -- Petrol is counted in thousandths of a gallon on some lines and as one fill on others.
    case
        when coalesce(source_products.product_type, '') <> 'GASOLINE-REG UNLEADED'
            then cast(lines.quantity as decimal(18, 3))
    end as quantity,
    lines.line_amount
from lines
left join source_products on lines.product_id = read_id(source_products.product_id)
