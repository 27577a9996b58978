with items as (
    select * from {{ ref('int_order_items') }} where is_entered and customer_key is not null
),

dates as (
    select * from {{ ref('int_learning_dates') }}
),

valid_lines as (
    select distinct
        items.order_id,
        items.customer_key,
        items.product_id,
        items.category,
        items.order_date,
        dates.learned_on
    from items
    inner join dates
        on
            {{ in_window('items.order_date', 'dates.learned_on') }}
            and (items.undone_on is null or items.undone_on > dates.learned_on)
)

select * from valid_lines
