{# What a customer buys most and where, over all valid orders. #}
with orders as (
    select * from {{ ref('int_order_outcomes') }} where is_valid and customer_key is not null
),

items as (
    select * from {{ ref('int_order_items') }}
),

sales_channels as (
    select * from {{ ref('sales_channels') }}
),

by_channel as (
    select
        customer_key,
        channel,
        row_number() over (
            partition by customer_key order by sum(net_amount) desc, channel
        ) as place
    from orders
    where channel is not null
    group by customer_key, channel
),

channel_types as (
    select
        orders.customer_key,
        max(case when sales_channels.channel_type = 'online' then 1 else 0 end) as buys_online,
        max(case when sales_channels.channel_type = 'offline' then 1 else 0 end) as buys_offline
    from orders
    inner join sales_channels on lower(orders.channel) = lower(sales_channels.channel)
    group by orders.customer_key
),

items_of_orders as (
    select
        orders.customer_key,
        items.category,
        items.product_type,
        coalesce(items.line_amount, 0) * orders.rate_to_reporting as revenue
    from items
    inner join orders on items.order_id = orders.order_id
),

by_category as (
    select
        customer_key,
        category,
        row_number() over (
            partition by customer_key order by sum(revenue) desc, category
        ) as place
    from items_of_orders
    where category is not null
    group by customer_key, category
),

by_product_type as (
    select
        customer_key,
        product_type,
        row_number() over (
            partition by customer_key order by sum(revenue) desc, product_type
        ) as place
    from items_of_orders
    where product_type is not null
    group by customer_key, product_type
),

buyers as (
    select distinct customer_key from orders
),

habits as (
    select
        buyers.customer_key,
        by_product_type.product_type as demand_type,
        by_category.category as favourite_category,
        by_channel.channel as favourite_channel,
        case
            when channel_types.buys_online + channel_types.buys_offline = 2 then 'omnichannel'
            when channel_types.buys_online = 1 then 'online'
            when channel_types.buys_offline = 1 then 'offline'
        end as channel_mix
    from buyers
    left join by_channel on buyers.customer_key = by_channel.customer_key and by_channel.place = 1
    left join channel_types on buyers.customer_key = channel_types.customer_key
    left join by_category
        on buyers.customer_key = by_category.customer_key and by_category.place = 1
    left join by_product_type
        on buyers.customer_key = by_product_type.customer_key and by_product_type.place = 1
)

select * from habits
