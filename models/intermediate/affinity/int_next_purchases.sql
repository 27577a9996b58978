with items as (
    select * from {{ ref('int_order_items') }} where is_entered and customer_key is not null
),

dates as (
    select * from {{ ref('int_learning_dates') }} where tested_until is not null
),

later_lines as (
    select
        items.customer_key,
        items.product_id,
        items.category,
        dates.learned_on,
        rank() over (
            partition by dates.learned_on, items.customer_key order by items.order_date
        ) as place
    from items
    inner join dates
        on
            items.order_date > dates.learned_on
            and items.order_date <= dates.tested_until
            and (items.undone_on is null or items.undone_on > dates.tested_until)
),

-- whatever is not known has a row too: the customer did order
bought_next as (
    select distinct
        customer_key,
        {{ unnested(["'category'", "'product'"]) }} as item_kind,
        {{ unnested(['category', 'product_id']) }} as item_id,
        learned_on
    from later_lines
    where place = 1
)

select * from bought_next
