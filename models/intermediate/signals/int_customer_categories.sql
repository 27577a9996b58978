with items as (
    select * from {{ ref('int_order_items') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

bought as (
    select distinct
        items.customer_key,
        items.category,
        items.order_date,
        items.undone_on
    from items
    where items.is_entered and items.customer_key is not null and items.category is not null
),

-- a category counts from the period of the order until the order leaves the window or is undone
counting as (
    select
        bought.customer_key,
        bought.category,
        {{ customer_tiering.unnest_range(
            'ordered.period_index',
            'least(coalesce(leaving.period_index, last_period.last_index + 1), '
            ~ 'coalesce(undone.period_index, last_period.last_index + 1))'
        ) }} as period_index
    from bought
    inner join days as ordered on bought.order_date = ordered.date_day
    cross join (select max(period_index) as last_index from days) as last_period
    left join days as leaving
        on
            bought.order_date + {{ customer_tiering.whole_number('rfm_window_days', 1, 3660) }}
            = leaving.date_day
    left join days as undone on bought.undone_on = undone.date_day
),

counted as (
    select
        customer_key,
        period_index,
        cast(count(distinct category) as integer) as categories
    from counting
    group by customer_key, period_index
)

select * from counted
