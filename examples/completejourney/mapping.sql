-- The Complete Journey to the raw contract. Variables: data (the folder with the public files).
-- Why each rule is as it is, with figures: README.md beside this file.

create temp table lines as
select
    cast(basket_id as varchar) as order_id,
    cast(household_id as varchar) as customer_id,
    cast(store_id as varchar) as store_id,
    cast(product_id as varchar) as product_id,
    quantity,
    -- The casts also clear float dust: amounts of 1e-15 dollars are zero.
    cast(sales_value as decimal(18, 2)) as line_amount,
    cast(retail_disc as decimal(18, 2))
    + cast(coupon_disc as decimal(18, 2))
    + cast(coupon_match_disc as decimal(18, 2)) as discount_amount,
    -- The file's times are UTC, though nothing says so: its own weeks begin at 05:00 in winter and
    -- at 04:00 in summer. The shops' day is the one that counts.
    transaction_timestamp at time zone 'UTC' at time zone 'America/New_York' as ordered_at
from read_parquet(getvariable('data') || '/transactions.parquet');

create temp table demographics as
select *
from read_parquet(getvariable('data') || '/demographics.parquet');

create temp table source_products as
select *
from read_parquet(getvariable('data') || '/products.parquet');

create temp table campaign_descriptions as
select *
from read_parquet(getvariable('data') || '/campaign_descriptions.parquet');

create table customers as
select
    customer_id,
    'person' as customer_type,
    'US' as country_code
from lines
union
select
    cast(household_id as varchar) as customer_id,
    'person' as customer_type,
    'US' as country_code
from demographics;

create table orders as
select
    order_id,
    customer_id,
    ordered_at,
    'completed' as status,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount,
    cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
    'store' as channel,
    store_id
from lines
group by order_id, customer_id, ordered_at, store_id;

create table order_items as
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
left join source_products on lines.product_id = cast(source_products.product_id as varchar);

create table products as
select
    cast(product_id as varchar) as product_id,
    nullif(concat_ws(', ', product_type, package_size), '') as product_name,
    product_category as category
from source_products;

create table customer_attributes as
select
    cast(household_id as varchar) as customer_id,
    attribute,
    value
from demographics
unpivot (
    value for attribute in (
        age, income, home_ownership, marital_status, household_size, household_comp, kids_count
    )
);

create table campaigns as
select
    cast(campaign_id as varchar) as campaign_id,
    'Campaign ' || campaign_id || ' (' || campaign_type || ')' as campaign_name,
    cast(start_date as date) as starts_on,
    cast(end_date as date) as ends_on
from campaign_descriptions;

-- The file says who was in a campaign, not when they were reached: the campaign's first day.
create table campaign_contacts as
select
    cast(received.campaign_id as varchar) as campaign_id,
    cast(received.household_id as varchar) as customer_id,
    campaign_descriptions.start_date as contacted_at,
    'treatment' as contact_group
from read_parquet(getvariable('data') || '/campaigns.parquet') as received
inner join campaign_descriptions on received.campaign_id = campaign_descriptions.campaign_id;
