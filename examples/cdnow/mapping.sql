-- CDNOW purchases to the raw contract. Variables: data (the folder with cdnow_master.parquet).
-- Why each rule is as it is, with figures: README.md beside this file.

create temp table purchases as
select
    cast(customer_id as varchar) as customer_id,
    -- The file has no order id: all that a customer buys on a day is one order, as in the
    -- published analyses of this data.
    customer_id || '-' || strftime(order_date, '%Y%m%d') as order_id,
    -- Equal rows of a day may change places: they are equal.
    row_number() over (partition by customer_id, order_date order by amount, cds) as line_number,
    cast(cds as decimal(18, 3)) as quantity,
    cast(amount as decimal(18, 2)) as line_amount,
    order_date
from read_parquet(getvariable('data') || '/cdnow_master.parquet');

create table customers as
select distinct customer_id
from purchases;

create table orders as
select
    order_id,
    customer_id,
    cast(order_date as timestamp) as ordered_at,
    'completed' as status,
    cast(sum(line_amount) as decimal(18, 2)) as order_amount,
    'online' as channel
from purchases
group by order_id, customer_id, order_date;

-- One line a row of the file, so that no row is lost in the orders: pieces are CDs.
create table order_items as
select
    order_id,
    line_number,
    cast(null as varchar) as product_id,
    quantity,
    line_amount
from purchases;
