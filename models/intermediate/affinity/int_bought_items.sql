with items as (
    select * from {{ ref('int_basket_items') }}
),

bought as (
    select
        customer_key,
        item_kind,
        item_id,
        count(*) as baskets,
        learned_on
    from items
    group by customer_key, item_kind, item_id, learned_on
)

select * from bought
