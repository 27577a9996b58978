-- Olist marketplace orders to the raw contract. Variables: data (the folder with the public files).
-- Why each rule is as it is, with figures: README.md beside this file.

create temp table source_orders as
select *
from read_parquet(getvariable('data') || '/olist_orders_dataset.parquet');

-- customer_id is made anew for every order; the person is customer_unique_id.
create temp table buyers as
select *
from read_parquet(getvariable('data') || '/olist_customers_dataset.parquet');

create temp table payments as
select
    order_id,
    cast(sum(cast(payment_value as decimal(18, 2))) as decimal(18, 2)) as paid_amount
from read_parquet(getvariable('data') || '/olist_order_payments_dataset.parquet')
group by order_id;

create table order_items as
select
    order_id,
    order_item_id as line_number,
    product_id,
    -- The source has one line a piece.
    cast(1 as decimal(18, 3)) as quantity,
    cast(
        cast(price as decimal(18, 2)) + cast(freight_value as decimal(18, 2)) as decimal(18, 2)
    ) as line_amount
from read_parquet(getvariable('data') || '/olist_order_items_dataset.parquet');

create temp table item_totals as
select
    order_id,
    cast(sum(line_amount) as decimal(18, 2)) as item_amount
from order_items
group by order_id;

create table orders as
select
    source_orders.order_id,
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
left join payments on source_orders.order_id = payments.order_id;

-- A person's address is that of the newest order.
create table customers as
select
    buyers.customer_unique_id as customer_id,
    'person' as customer_type,
    'BR' as country_code,
    buyers.customer_state as region,
    buyers.customer_city as city,
    -- read as a number, it loses its leading zeros
    lpad(cast(buyers.customer_zip_code_prefix as varchar), 5, '0') as postal_code
from buyers
inner join source_orders on buyers.customer_id = source_orders.customer_id
qualify row_number() over (
    partition by buyers.customer_unique_id
    order by source_orders.order_purchase_timestamp desc, source_orders.order_id asc
) = 1;

create table products as
select
    source_products.product_id,
    coalesce(
        translations.product_category_name_english, source_products.product_category_name
    ) as category
from read_parquet(getvariable('data') || '/olist_products_dataset.parquet') as source_products
left join
    read_parquet(
        getvariable('data') || '/product_category_name_translation.parquet'
    ) as translations
    on source_products.product_category_name = translations.product_category_name;

create table survey_responses as
select
    -- One review may be about several orders; each is an answer of its own.
    reviews.review_id || '-' || reviews.order_id as response_id,
    orders.customer_id,
    -- When the answer was given, not when it was asked for.
    reviews.review_answer_timestamp as responded_at,
    'csat' as survey_type,
    reviews.review_score as score
from read_parquet(getvariable('data') || '/olist_order_reviews_dataset.parquet') as reviews
inner join orders on reviews.order_id = orders.order_id;
