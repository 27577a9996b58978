with items as (
    select * from {{ ref('int_basket_items') }}
),

lines as (
    select * from {{ ref('int_basket_lines') }}
),

popular as (
    select * from {{ ref('int_popular_items') }}
),

all_baskets as (
    select
        learned_on,
        count(distinct order_id) as all_baskets
    from lines
    group by 1
),

-- each pair once, by customer first: counting distinct customers would cost several times as much
of_customers as (
    select
        items.learned_on,
        items.item_kind,
        items.customer_key,
        items.item_id as first_id,
        others.item_id as second_id,
        count(*) as baskets
    from items
    inner join items as others
        on
            items.order_id = others.order_id
            and items.learned_on = others.learned_on
            and items.item_kind = others.item_kind
            and items.item_id < others.item_id
    group by 1, 2, 3, 4, 5
),

pairs as (
    select
        learned_on,
        item_kind,
        first_id,
        second_id,
        cast(sum(baskets) as bigint) as baskets,
        count(*) as customers
    from of_customers
    group by 1, 2, 3, 4
    having sum(baskets) >= {{ setting('affinity_min_baskets') }}
),

in_both_directions as (
    select
        learned_on,
        item_kind,
        first_id,
        second_id,
        baskets,
        customers
    from pairs
    union all
    select
        learned_on,
        item_kind,
        second_id as first_id,
        first_id as second_id,
        baskets,
        customers
    from pairs
),

counted as (
    select
        directed.item_kind as affinity_kind,
        directed.first_id,
        directed.second_id,
        directed.baskets,
        firsts.baskets as first_baskets,
        seconds.baskets as second_baskets,
        all_baskets.all_baskets,
        directed.customers,
        directed.learned_on
    from in_both_directions as directed
    inner join all_baskets on directed.learned_on = all_baskets.learned_on
    inner join popular as firsts
        on
            directed.learned_on = firsts.learned_on
            and directed.item_kind = firsts.item_kind
            and directed.first_id = firsts.item_id
    inner join popular as seconds
        on
            directed.learned_on = seconds.learned_on
            and directed.item_kind = seconds.item_kind
            and directed.second_id = seconds.item_id
)

select * from counted
