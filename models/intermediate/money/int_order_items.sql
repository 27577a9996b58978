{# Not built unless the raw tables are within their limits. #}
{% if not execute %}{% do ref('int_source_findings') %}{% endif -%}
with items as (
    select * from {{ ref('stg_shop__order_items') }}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

reversals as (
    select * from {{ ref('int_order_reversals') }}
),

undone_orders as (
    select order_id, min(known_date) as undone_on
    from reversals
    where is_order_undone
    group by order_id
),

joined as (
    select
        items.order_id,
        items.line_number,
        orders.customer_key,
        orders.member_key,
        items.product_id,
        products.category,
        products.product_type,

        items.quantity,
        items.line_amount,
        orders.rate_to_reporting,

        coalesce(orders.is_entered, false) as is_entered,
        orders.order_id is null or orders.is_rejected as is_of_unknown_order,

        orders.order_date,
        undone_orders.undone_on
    from items
    left join orders on items.order_id = orders.order_id
    left join products on items.product_id = products.product_id
    left join undone_orders on items.order_id = undone_orders.order_id
)

select * from joined
