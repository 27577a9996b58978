-- Lost deals are no orders. The pipeline writes one product without its blank.
select
    opportunity_id,
    account,
    case when product = 'GTXPro' then 'GTX Pro' else product end as product_id,
    read_amount(close_value) as close_value,
    close_date
from sales_pipeline
where deal_stage = 'Won'
