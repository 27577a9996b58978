{# The lines of each period's orders, with their parts of what is left of these at its end. #}
with orders as (
    select * from {{ ref('int_customer_orders') }}
),

reversals as (
    select * from {{ ref('int_customer_reversals') }}
),

items as (
    select * from {{ ref('int_order_items') }} where is_entered and customer_key is not null
),

days as (
    select * from {{ ref('int_period_days') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

placed_orders as (
    select
        orders.order_id,
        orders.customer_key,
        coalesce(orders.channel, 'unknown') as channel,
        orders.order_amount_reporting,
        periods.period_index,
        periods.period_end
    from orders
    inner join days on orders.order_date = days.date_day
    inner join periods on days.period_index = periods.period_index
),

reversed as (
    select
        reversals.order_id,
        sum(reversals.reversed_amount_reporting) as reversed_amount,
        max(case when reversals.is_order_undone then 1 else 0 end) as is_undone
    from reversals
    inner join placed_orders
        on
            reversals.order_id = placed_orders.order_id
            and reversals.known_date <= placed_orders.period_end
    group by reversals.order_id
),

-- nothing is left of an order that is undone
valid_orders as (
    select
        placed_orders.order_id,
        placed_orders.customer_key,
        placed_orders.channel,
        placed_orders.period_index,
        placed_orders.order_amount_reporting - coalesce(reversed.reversed_amount, 0) as revenue
    from placed_orders
    left join reversed on placed_orders.order_id = reversed.order_id
    where coalesce(reversed.is_undone, 0) = 0
),

weighed_lines as (
    select
        valid_orders.order_id,
        valid_orders.customer_key,
        valid_orders.channel,
        valid_orders.period_index,
        valid_orders.revenue,
        coalesce(items.category, 'unknown') as category,
        items.line_number,
        greatest({{ cents('coalesce(items.line_amount, 0)') }}, 0) as weight
    from valid_orders
    left join items on valid_orders.order_id = items.order_id
),

placed_lines as (
    select
        *,
        count(*) over of_order as lines,
        sum(weight) over of_order as weight_of_order,
        row_number() over (partition by order_id order by weight desc, line_number) as place
    from weighed_lines
    window of_order as (partition by order_id)
),

-- 10.00 over lines of 20, 20 and 20 is 3.34, 3.33 and 3.33: what rounding leaves over belongs to
-- the largest line, of equals the first; lines of nothing have equal parts
shared_lines as (
    select
        *,
        {{ rounded_ratio(
            cents('revenue') ~ ' * case when weight_of_order = 0 then 1 else weight end',
            'case when weight_of_order = 0 then lines else weight_of_order end'
        ) }} as share_cents
    from placed_lines
),

parts as (
    select
        order_id,
        line_number,
        customer_key,
        channel,
        category,
        period_index,
        place,
        revenue as order_revenue,
        share_cents
        + case
            when place = 1
                then {{ cents('revenue') }} - sum(share_cents) over (partition by order_id)
            else 0
        end as part_cents
    from shared_lines
)

select * from parts
