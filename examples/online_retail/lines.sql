with invoice_lines as (
    select
        invoice_no,
        read_id(customer_id) as customer_id,
        -- The same article is written 85123A and 85123a.
        upper(trim(stock_code)) as stock_code,
        trim(description) as description,
        country,
        quantity,
        -- Four prices have a tenth of a penny.
        cast(unit_price as decimal(18, 3)) as unit_price,
        invoice_date
    from online_retail_2010_2011
)

select
    invoice_lines.*,
    -- Independent of the order of the file: lines equal in all of these are interchangeable.
    row_number() over (
        partition by invoice_lines.invoice_no
        order by
            invoice_lines.stock_code,
            invoice_lines.unit_price,
            invoice_lines.quantity,
            invoice_lines.description
    ) as line_number,
    case
        when invoice_lines.invoice_no like 'C%' then 'cancellation'
        when invoice_lines.invoice_no like 'A%' then 'adjustment'
        -- Without a customer and without a price it is stock-keeping: damages, counts, finds.
        when invoice_lines.unit_price = 0 and invoice_lines.customer_id is null
            then 'stock_movement'
        when invoice_lines.unit_price = 0 and not choices.has_cancellations then 'free'
        else 'sale'
    end as line_type,
    cast(invoice_lines.quantity * invoice_lines.unit_price as decimal(18, 2)) as line_amount
from invoice_lines
cross join choices
