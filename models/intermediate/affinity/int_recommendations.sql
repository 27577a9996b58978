{# What goes with what a customer buys most, and is not bought yet. A customer's firsts and a
   first's seconds are limited, so that all pairs do not meet all that everybody bought. #}
with bought as (
    select * from {{ ref('int_bought_items') }}
),

affinities as (
    select * from {{ ref('int_affinities') }} where affinity_kind in ('category', 'product')
),

most_bought as (
    select
        *,
        row_number() over (
            partition by learned_on, customer_key, item_kind order by baskets desc, item_id
        ) as place
    from bought
),

-- the few pairs are put in order once, so that each customer's need only compare whole numbers
pairs as (
    select
        *,
        row_number() over (
            partition by learned_on, affinity_kind, first_id
            order by confidence desc, lift desc, second_id
        ) as place,
        row_number() over (
            partition by learned_on
            order by confidence desc, lift desc, first_id, affinity_kind, second_id
        ) as place_of_pair,
        rank() over (
            partition by learned_on order by confidence desc, lift desc, affinity_kind, second_id
        ) as place_of_second
    from affinities
    where
        cast(baskets as {{ wide_integer_type() }}) * all_baskets
        > cast(first_baskets as {{ wide_integer_type() }}) * second_baskets
),

suggested as (
    select
        most_bought.learned_on,
        most_bought.customer_key,
        pairs.affinity_kind as item_kind,
        pairs.second_id,
        min(pairs.place_of_pair) as place_of_pair
    from most_bought
    inner join pairs
        on
            most_bought.learned_on = pairs.learned_on
            and most_bought.item_kind = pairs.affinity_kind
            and most_bought.item_id = pairs.first_id
    where
        most_bought.place <= {{ recommending_items() }}
        and pairs.place <= {{ seconds_of_an_item() }}
    group by 1, 2, 3, 4
),

new_to_the_customer as (
    select suggested.*
    from suggested
    left join bought
        on
            suggested.learned_on = bought.learned_on
            and suggested.customer_key = bought.customer_key
            and suggested.item_kind = bought.item_kind
            and suggested.second_id = bought.item_id
    where bought.customer_key is null
),

ranked_by_kind as (
    select
        found.customer_key,
        pairs.*,
        row_number() over (
            partition by found.learned_on, found.customer_key, found.item_kind
            order by pairs.place_of_second
        ) as place_in_kind
    from new_to_the_customer as found
    inner join pairs
        on found.learned_on = pairs.learned_on and found.place_of_pair = pairs.place_of_pair
),

ranked as (
    select
        customer_key,
        affinity_kind as item_kind,
        second_id as item_id,
        first_id,
        confidence,
        lift,
        cast(place_in_kind as integer) as place_in_kind,
        cast(
            row_number() over (
                partition by learned_on, customer_key order by place_of_second
            ) as integer
        ) as place,
        learned_on
    from ranked_by_kind
    where place_in_kind <= {{ recommendations_of_a_customer() }}
)

select * from ranked
