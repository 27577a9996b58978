with lines as (
    select * from {{ ref('int_basket_lines') }}
),

products as (
    select
        learned_on,
        product_id,
        row_number() over (partition by learned_on order by count(*) desc, product_id) as place
    from lines
    where product_id is not null
    group by learned_on, product_id
),

items as (
    select distinct
        order_id,
        customer_key,
        'category' as item_kind,
        category as item_id,
        learned_on
    from lines
    where category is not null
    union all
    select
        lines.order_id,
        lines.customer_key,
        'product' as item_kind,
        lines.product_id as item_id,
        lines.learned_on
    from lines
    inner join products
        on lines.learned_on = products.learned_on and lines.product_id = products.product_id
    where products.place <= {{ setting('affinity_max_products') }}
)

select * from items
