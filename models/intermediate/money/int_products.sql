with listed as (
    select * from {{ ref('stg_shop__products') }}
),

items as (
    select * from {{ ref('int_order_items') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

known_items as (
    select
        items.product_id,
        -- a line counts as long as its order does
        case
            when
                items.is_entered
                and (items.undone_on is null or items.undone_on > as_of.as_of_date)
                then items.order_date
        end as ordered_on
    from items
    inner join as_of on items.order_date <= as_of.as_of_date
    where items.product_id is not null and not items.is_of_unknown_order
),

ordered as (
    select
        product_id,
        min(ordered_on) as first_ordered_on,
        max(ordered_on) as last_ordered_on
    from known_items
    group by product_id
),

products as (
    select
        coalesce(listed.product_id, ordered.product_id) as product_id,
        listed.product_name,
        listed.category,
        listed.product_type,

        listed.product_id is null as is_inferred,

        ordered.first_ordered_on,
        ordered.last_ordered_on
    from listed
    full join ordered on listed.product_id = ordered.product_id
)

select * from products
