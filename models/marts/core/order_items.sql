with items as (
    select * from {{ ref('int_order_items') }}
),

customers as (
    select customer_id, customer_key from {{ ref('int_customers') }}
),

products as (
    select product_id, product_name from {{ ref('products') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
)

select
    items.order_id,
    customers.customer_id,
    items.product_id,
    products.product_name,
    items.category,
    items.product_type,

    items.line_number,
    items.quantity,
    items.line_amount,

    items.order_date
from items
inner join as_of on items.order_date <= as_of.as_of_date
left join customers on items.member_key = customers.customer_key
left join products on items.product_id = products.product_id
where not items.is_of_unknown_order
