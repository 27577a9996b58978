{# What a customer buys most and where, over all valid orders. #}
with orders as (
    select * from {{ ref('int_order_outcomes') }} where is_valid and member_key is not null
),

items as (
    select * from {{ ref('int_order_items') }}
),

sales_channels as (
    select lower_case(channel) as channel, channel_type from {{ ref('sales_channels') }}
),

by_channel as (
    select
        member_key as customer_key,
        channel,
        sum(net_amount) as net_amount
    from orders
    group by member_key, channel
),

ranked_channels as (
    select
        by_channel.customer_key,
        by_channel.channel,
        sales_channels.channel_type,
        row_number() over (
            partition by by_channel.customer_key
            order by
                case when by_channel.channel is null then 1 else 0 end,
                by_channel.net_amount desc,
                by_channel.channel
        ) as place
    from by_channel
    left join sales_channels on lower_case(by_channel.channel) = sales_channels.channel
),

-- every buyer is here: an order without a channel has the channel NULL
channels as (
    select
        customer_key,
        max(case when place = 1 then channel end) as favourite_channel,
        max(case when channel_type = 'online' then 1 else 0 end) as buys_online,
        max(case when channel_type = 'offline' then 1 else 0 end) as buys_offline
    from ranked_channels
    group by customer_key
),

items_of_orders as (
    select
        orders.member_key as customer_key,
        items.category,
        items.product_type,
        {{ in_reporting_currency(
            'coalesce(items.line_amount, 0)', 'orders.rate_to_reporting'
        ) }} as revenue
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

habits as (
    select
        channels.customer_key,
        by_product_type.product_type as demand_type,
        by_category.category as favourite_category,
        channels.favourite_channel,
        case
            when channels.buys_online + channels.buys_offline = 2 then 'omnichannel'
            when channels.buys_online = 1 then 'online'
            when channels.buys_offline = 1 then 'offline'
        end as channel_mix
    from channels
    left join by_category
        on channels.customer_key = by_category.customer_key and by_category.place = 1
    left join by_product_type
        on channels.customer_key = by_product_type.customer_key and by_product_type.place = 1
)

select * from habits
