with bought as (
    select * from {{ ref('int_bought_items') }}
),

counted as (
    select
        item_kind,
        item_id,
        cast(sum(baskets) as bigint) as baskets,
        learned_on
    from bought
    group by item_kind, item_id, learned_on
)

select * from counted
