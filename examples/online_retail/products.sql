-- The commonest name. Unpriced lines carry the stock keeper's remarks ("damaged", "?") instead.
with names as (
    select
        stock_code,
        case when unit_price > 0 then description end as product_name,
        count(*) as name_count
    from lines
    where line_type in ('sale', 'cancellation')
    group by 1, 2
),

ranked as (
    select
        stock_code,
        product_name,
        row_number() over (
            partition by stock_code
            order by
                case when product_name is null then 1 else 0 end, name_count desc, product_name asc
        ) as place
    from names
)

select
    stock_code as product_id,
    product_name
from ranked
where place = 1
