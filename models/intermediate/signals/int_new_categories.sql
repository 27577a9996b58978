{# Categories that a customer bought in the half year that ends with a period, and never before. #}
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

recent as (
    select distinct
        items.customer_key,
        items.category,
        periods.period_index,
        periods.period_end
    from items
    inner join periods
        on
            items.order_date <= periods.period_end
            and items.order_date > periods.period_end - {{ half_year_days() }}
            and (items.undone_on is null or items.undone_on > periods.period_end)
),

first_bought as (
    select
        customer_key,
        category,
        undone_on,
        min(order_date) as order_date
    from items
    group by customer_key, category, undone_on
),

bought_before as (
    select distinct
        recent.customer_key,
        recent.category,
        recent.period_index
    from recent
    inner join first_bought
        on
            recent.customer_key = first_bought.customer_key
            and recent.category = first_bought.category
            and recent.period_end >= first_bought.order_date + {{ half_year_days() }}
            and (first_bought.undone_on is null or recent.period_end < first_bought.undone_on)
),

counted as (
    select
        recent.customer_key,
        recent.period_index,
        cast(count(*) as integer) as new_categories
    from recent
    left join bought_before
        on
            recent.customer_key = bought_before.customer_key
            and recent.category = bought_before.category
            and recent.period_index = bought_before.period_index
    where bought_before.customer_key is null
    group by recent.customer_key, recent.period_index
)

select * from counted
