{# What changes how often and for how much a customer buys something: an order brings its channel, a
   line its category and type; they leave with the order when it is undone. What became known before
   the periods to compute is one row, in the first of them. #}
with orders as (
    select * from {{ ref('int_customer_orders') }}
),

reversals as (
    select * from {{ ref('int_customer_reversals') }}
),

items as (
    select
        customer_key,
        category,
        product_type,
        {{ in_reporting_currency('coalesce(line_amount, 0)', 'rate_to_reporting') }} as revenue,
        order_date,
        undone_on
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null
),

days as (
    select * from {{ ref('int_period_days') }}
),

periods_to_compute as (
    select * from {{ ref('int_periods_to_compute') }}
),

first_to_compute as (
    select coalesce(min(period_index), {{ far_ahead() }}) as period_index from periods_to_compute
),

placed_days as (
    select
        days.date_day,
        greatest(days.period_index, first_to_compute.period_index) as period_index
    from days
    cross join first_to_compute
),

channel_events as (
    select
        customer_key,
        channel,
        1 as uses_delta,
        order_amount_reporting as revenue_delta,
        order_date as known_date
    from orders
    where channel is not null
    union all
    select
        orders.customer_key,
        orders.channel,
        case when reversals.is_order_undone then -1 else 0 end as uses_delta,
        -reversals.reversed_amount_reporting as revenue_delta,
        reversals.known_date
    from reversals
    inner join orders on reversals.order_id = orders.order_id
    where orders.channel is not null
),

item_events as (
    select
        customer_key,
        category,
        product_type,
        1 as uses_delta,
        revenue as revenue_delta,
        order_date as known_date
    from items
    union all
    select
        customer_key,
        category,
        product_type,
        -1 as uses_delta,
        -revenue as revenue_delta,
        undone_on as known_date
    from items
    where undone_on is not null
),

changes as (
    select
        'channel' as habit,
        channel_events.channel as habit_value,
        channel_events.customer_key,
        placed_days.period_index,
        cast(sum(channel_events.uses_delta) as integer) as uses_delta,
        cast(sum(channel_events.revenue_delta) as decimal(38, 10)) as revenue_delta
    from channel_events
    inner join placed_days on channel_events.known_date = placed_days.date_day
    group by 1, 2, 3, 4
    {%- for habit in ['category', 'product_type'] %}
    union all
    select
        '{{ habit }}' as habit,
        item_events.{{ habit }} as habit_value,
        item_events.customer_key,
        placed_days.period_index,
        cast(sum(item_events.uses_delta) as integer) as uses_delta,
        cast(sum(item_events.revenue_delta) as decimal(38, 10)) as revenue_delta
    from item_events
    inner join placed_days on item_events.known_date = placed_days.date_day
    where item_events.{{ habit }} is not null
    group by 1, 2, 3, 4
    {%- endfor %}
)

select * from changes
