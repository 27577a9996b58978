{# Recommendations of customers who ordered next, and what is most popular and new to them. Kind
   `all` has the best of both kinds. #}
with recommendations as (
    select
        recommendations.customer_key,
        recommendations.item_kind,
        recommendations.item_id,
        {{ unnested(["'all'", 'recommendations.item_kind']) }} as recommended_kind,
        {{ unnested(['recommendations.place', 'recommendations.place_in_kind']) }} as place,
        recommendations.learned_on
    from {{ ref('int_recommendations') }} as recommendations
    inner join {{ ref('int_learning_dates') }} as dates
        on recommendations.learned_on = dates.learned_on and dates.tested_until is not null
),

purchases as (
    select distinct
        customer_key,
        learned_on
    from {{ ref('int_next_purchases') }}
),

bought as (
    select * from {{ ref('int_bought_items') }}
),

popular_items as (
    select
        item_kind,
        item_id,
        baskets,
        {{ unnested(["'all'", 'item_kind']) }} as recommended_kind,
        learned_on
    from {{ ref('int_popular_items') }}
),

popular as (
    select
        *,
        row_number() over (
            partition by learned_on, recommended_kind order by baskets desc, item_kind, item_id
        ) as place
    from popular_items
),

tested as (
    select distinct
        recommendations.customer_key,
        recommendations.recommended_kind,
        recommendations.learned_on
    from recommendations
    inner join purchases
        on
            recommendations.customer_key = purchases.customer_key
            and recommendations.learned_on = purchases.learned_on
),

counted as (
    select
        tested.customer_key,
        tested.recommended_kind,
        tested.learned_on,
        count(bought.item_id) as items
    from tested
    left join bought
        on
            tested.customer_key = bought.customer_key
            and tested.learned_on = bought.learned_on
            and tested.recommended_kind in ('all', bought.item_kind)
    group by 1, 2, 3
),

-- of the first n + 3 items, at least three are new to who bought n
popular_and_new as (
    select
        counted.customer_key,
        counted.recommended_kind,
        counted.learned_on,
        popular.item_kind,
        popular.item_id,
        row_number() over (
            partition by counted.learned_on, counted.customer_key, counted.recommended_kind
            order by popular.place
        ) as place
    from counted
    inner join popular
        on
            counted.learned_on = popular.learned_on
            and counted.recommended_kind = popular.recommended_kind
            and popular.place <= counted.items + {{ recommendations_of_a_customer() }}
    left join bought
        on
            counted.learned_on = bought.learned_on
            and counted.customer_key = bought.customer_key
            and popular.item_kind = bought.item_kind
            and popular.item_id = bought.item_id
    where bought.customer_key is null
),

predictions as (
    select
        'recommendations' as predictor,
        recommendations.customer_key,
        recommendations.recommended_kind,
        recommendations.item_kind,
        recommendations.item_id,
        recommendations.place,
        recommendations.learned_on
    from recommendations
    inner join tested
        on
            recommendations.customer_key = tested.customer_key
            and recommendations.recommended_kind = tested.recommended_kind
            and recommendations.learned_on = tested.learned_on
    union all
    select
        'most_popular' as predictor,
        customer_key,
        recommended_kind,
        item_kind,
        item_id,
        place,
        learned_on
    from popular_and_new
)

select * from predictions
where place <= {{ recommendations_of_a_customer() }}
