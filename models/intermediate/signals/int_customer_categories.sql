with items as (
    select
        customer_key,
        category,
        order_date,
        undone_on
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null and category is not null
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

-- a category counts from the period of the order until the order leaves the window or is undone
counted as (
    select
        items.customer_key,
        periods.period_index,
        cast(count(distinct items.category) as integer) as categories
    from items
    inner join periods
        on
            {{ in_window('items.order_date', 'periods.period_end') }}
            and (items.undone_on is null or items.undone_on > periods.period_end)
    group by items.customer_key, periods.period_index
)

select * from counted
