-- Online Retail invoices to the raw contract. Variables:
--   data           the folder with online_retail_2010_2011.parquet
--   cancellations  refund (default): cancellations become refunds of the orders they take back;
--                  drop: no cancellations and no lines without a price, as the published RFM
--                  tables of this data have it
-- Why each rule is as it is, with figures: README.md beside this file.

set variable cancellations = coalesce(getvariable('cancellations'), 'refund');

select error('cancellations: found ' || getvariable('cancellations') || '; refund or drop')
where getvariable('cancellations') not in ('refund', 'drop');

create temp table lines as
with source as (
    select
        invoice_no,
        cast(customer_id as varchar) as customer_id,
        -- The same article is written 85123A and 85123a.
        upper(trim(stock_code)) as stock_code,
        trim(description) as description,
        country,
        quantity,
        -- Four prices have a tenth of a penny.
        cast(unit_price as decimal(18, 3)) as unit_price,
        invoice_date
    from read_parquet(getvariable('data') || '/online_retail_2010_2011.parquet')
)

select
    *,
    -- Independent of the order of the file: lines equal in all of these are interchangeable.
    row_number() over (
        partition by invoice_no order by stock_code, unit_price, quantity, description
    ) as line_number,
    case
        when invoice_no like 'C%' then 'cancellation'
        when invoice_no like 'A%' then 'adjustment'
        -- Without a customer and without a price it is stock-keeping: damages, counts, finds.
        when unit_price = 0 and customer_id is null then 'stock_movement'
        when unit_price = 0 and getvariable('cancellations') = 'drop' then 'free'
        else 'sale'
    end as line_type,
    cast(quantity * unit_price as decimal(18, 2)) as line_amount
from source;

create table order_items as
select
    invoice_no as order_id,
    line_number,
    stock_code as product_id,
    cast(quantity as decimal(18, 3)) as quantity,
    line_amount
from lines
where line_type = 'sale';

create table orders as
select
    invoice_no as order_id,
    customer_id,
    -- 43 invoices were typed across the turn of a minute.
    min(invoice_date) as ordered_at,
    'completed' as status,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount,
    'online' as channel
from lines
where line_type = 'sale'
group by invoice_no, customer_id;

create table products as
select
    stock_code as product_id,
    -- Unpriced lines carry the stock keeper's remarks ("damaged", "?") instead of names.
    mode(description order by description) filter (where unit_price > 0) as product_name
from lines
where line_type in ('sale', 'cancellation')
group by stock_code;

-- Customers who only ever cancelled are customers too.
create table customers as
with country_codes (country, country_code) as (
    values
    ('Australia', 'AU'),
    ('Austria', 'AT'),
    ('Bahrain', 'BH'),
    ('Belgium', 'BE'),
    ('Brazil', 'BR'),
    ('Canada', 'CA'),
    ('Cyprus', 'CY'),
    ('Czech Republic', 'CZ'),
    ('Denmark', 'DK'),
    ('EIRE', 'IE'),
    ('Finland', 'FI'),
    ('France', 'FR'),
    ('Germany', 'DE'),
    ('Greece', 'GR'),
    ('Hong Kong', 'HK'),
    ('Iceland', 'IS'),
    ('Israel', 'IL'),
    ('Italy', 'IT'),
    ('Japan', 'JP'),
    ('Lebanon', 'LB'),
    ('Lithuania', 'LT'),
    ('Malta', 'MT'),
    ('Netherlands', 'NL'),
    ('Norway', 'NO'),
    ('Poland', 'PL'),
    ('Portugal', 'PT'),
    ('RSA', 'ZA'),
    ('Saudi Arabia', 'SA'),
    ('Singapore', 'SG'),
    ('Spain', 'ES'),
    ('Sweden', 'SE'),
    ('Switzerland', 'CH'),
    ('USA', 'US'),
    ('United Arab Emirates', 'AE'),
    ('United Kingdom', 'GB')
),

-- Eight customers moved: the newest invoice says where to.
latest_countries as (
    select
        customer_id,
        country
    from lines
    where customer_id is not null
    qualify row_number() over (
        partition by customer_id order by invoice_date desc, invoice_no desc, line_number asc
    ) = 1
)

select
    latest_countries.customer_id,
    country_codes.country_code
from latest_countries
left join country_codes on latest_countries.country = country_codes.country;

-- Cancellations to refunds. A cancellation does not say which invoice it takes back, so it is
-- matched line by line, in the order in which the lines became known.

create temp table cancellations as
select
    invoice_no || '-' || line_number as refund_id,
    customer_id,
    stock_code,
    unit_price,
    -quantity as quantity,
    -line_amount as refund_amount,
    invoice_date as cancelled_at
from lines
where
    line_type = 'cancellation'
    and customer_id is not null
    and getvariable('cancellations') = 'refund';

-- First by article: the newest earlier invoice of the customer that still has all the pieces, at
-- the very price if there is one, never at a lower one: nobody gets back more than was paid.
create temp table article_matches as
with recursive numbered as (
    select
        *,
        row_number() over (
            partition by customer_id, stock_code order by cancelled_at, refund_id
        ) as step
    from cancellations
),

remaining as (
    select
        customer_id,
        stock_code,
        unit_price,
        invoice_no as order_id,
        min(invoice_date) as ordered_at,
        sum(quantity) as quantity_left,
        cast(0 as bigint) as step,
        cast(null as varchar) as refund_id
    from lines
    where
        line_type = 'sale'
        and (customer_id, stock_code) in (
            select (cancellations.customer_id, cancellations.stock_code)
            from cancellations
        )
    group by customer_id, stock_code, unit_price, invoice_no

    union all

    -- One step is one cancellation of each customer and article; refund_id marks what it took.
    select
        customer_id,
        stock_code,
        unit_price,
        order_id,
        ordered_at,
        case when is_match then quantity_left - cancelled_quantity else quantity_left end
            as quantity_left,
        step,
        case when is_match then cancellation_id end as refund_id
    from (
        select
            remaining.customer_id,
            remaining.stock_code,
            remaining.unit_price,
            remaining.order_id,
            remaining.ordered_at,
            remaining.quantity_left,
            numbered.step,
            numbered.quantity as cancelled_quantity,
            numbered.refund_id as cancellation_id,
            remaining.ordered_at < numbered.cancelled_at
            and remaining.quantity_left >= numbered.quantity
            and remaining.unit_price >= numbered.unit_price as is_possible,
            is_possible and row_number() over (
                partition by remaining.customer_id, remaining.stock_code
                order by
                    is_possible desc,
                    remaining.unit_price = numbered.unit_price desc,
                    remaining.ordered_at desc,
                    remaining.order_id desc,
                    remaining.unit_price asc
            ) = 1 as is_match
        from remaining
        inner join numbered
            on
                remaining.customer_id = numbered.customer_id
                and remaining.stock_code = numbered.stock_code
                and remaining.step + 1 = numbered.step
    ) as attempts
)

select
    refund_id,
    order_id
from remaining
where refund_id is not null;

-- Then lines that name no goods (manual corrections, discounts, postage, commission), as money: the
-- newest earlier invoice of the customer that still has the amount.
create temp table credit_matches as
with recursive numbered as (
    select
        cancellations.*,
        row_number() over (
            partition by cancellations.customer_id
            order by cancellations.cancelled_at, cancellations.refund_id
        ) as step
    from cancellations
    left join article_matches on cancellations.refund_id = article_matches.refund_id
    where
        article_matches.refund_id is null
        and not regexp_matches(cancellations.stock_code, '^[0-9]{5}')
),

refunded as (
    select
        article_matches.order_id,
        sum(cancellations.refund_amount) as refunded_amount
    from article_matches
    inner join cancellations on article_matches.refund_id = cancellations.refund_id
    group by article_matches.order_id
),

remaining as (
    select
        orders.customer_id,
        orders.order_id,
        orders.ordered_at,
        cast(
            orders.order_amount - coalesce(refunded.refunded_amount, 0) as decimal(18, 2)
        ) as amount_left,
        cast(0 as bigint) as step,
        cast(null as varchar) as refund_id
    from orders
    left join refunded on orders.order_id = refunded.order_id
    where orders.customer_id in (select numbered.customer_id from numbered)

    union all

    select
        customer_id,
        order_id,
        ordered_at,
        cast(
            case when is_match then amount_left - refund_amount else amount_left end
            as decimal(18, 2)
        ) as amount_left,
        step,
        case when is_match then cancellation_id end as refund_id
    from (
        select
            remaining.customer_id,
            remaining.order_id,
            remaining.ordered_at,
            remaining.amount_left,
            numbered.step,
            numbered.refund_amount,
            numbered.refund_id as cancellation_id,
            remaining.ordered_at < numbered.cancelled_at
            and remaining.amount_left >= numbered.refund_amount as is_possible,
            is_possible and row_number() over (
                partition by remaining.customer_id
                order by is_possible desc, remaining.ordered_at desc, remaining.order_id desc
            ) = 1 as is_match
        from remaining
        inner join numbered
            on
                remaining.customer_id = numbered.customer_id
                and remaining.step + 1 = numbered.step
    ) as attempts
)

select
    refund_id,
    order_id
from remaining
where refund_id is not null;

create table refunds as
with matches as (
    select
        refund_id,
        order_id
    from article_matches
    union all
    select
        refund_id,
        order_id
    from credit_matches
)

select
    cancellations.refund_id,
    matches.order_id,
    cancellations.cancelled_at as refunded_at,
    cancellations.refund_amount
from cancellations
inner join matches on cancellations.refund_id = matches.refund_id;

-- Not written out; the README counts these.
create temp table unmatched_cancellations as
select cancellations.*
from cancellations
left join refunds on cancellations.refund_id = refunds.refund_id
where refunds.refund_id is null;
