with lines as (
    select * from {{ ref('int_period_lines') }}
),

by_order as (
    select
        order_id,
        customer_key,
        channel,
        category,
        period_index,
        sum(part_cents) as cents,
        max(case when place = 1 then 1 else 0 end) as is_main
    from lines
    group by 1, 2, 3, 4, 5
),

by_category as (
    select
        customer_key,
        channel,
        category,
        period_index,
        cast(count(*) as integer) as orders,
        cast(sum(is_main) as integer) as main_orders,
        cast(cast(sum(cents) as decimal(18, 0)) * 0.01 as decimal(18, 2)) as revenue
    from by_order
    group by 1, 2, 3, 4
)

select * from by_category
