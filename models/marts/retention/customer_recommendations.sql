with newest_period as (
    select * from {{ ref('int_newest_period') }}
),

recommendations as (
    select recommendations.*
    from {{ ref('int_recommendations') }} as recommendations
    inner join newest_period on recommendations.learned_on = newest_period.period_end
    where recommendations.place <= {{ recommendations_of_a_customer() }}
),

affinities as (
    select * from {{ ref('int_affinities') }}
),

customers as (
    select * from {{ ref('int_customers') }} where not is_erased
),

products as (
    select * from {{ ref('int_products') }} where product_name is not null
),

named as (
    select
        customers.customer_id,
        recommendations.item_kind,
        recommendations.item_id,
        coalesce(seconds.product_name, recommendations.item_id) as item_name,
        recommendations.first_id,
        coalesce(firsts.product_name, recommendations.first_id) as first_name,
        recommendations.place,
        recommendations.confidence,
        recommendations.lift,
        cast({{ rounded_ratio(
            '100 * affinities.baskets', 'affinities.first_baskets'
        ) }} as integer) as confidence_percent,
        recommendations.learned_on
    from recommendations
    inner join customers on recommendations.customer_key = customers.customer_key
    inner join affinities
        on
            recommendations.learned_on = affinities.learned_on
            and recommendations.item_kind = affinities.affinity_kind
            and recommendations.first_id = affinities.first_id
            and recommendations.item_id = affinities.second_id
    left join products as firsts
        on recommendations.item_kind = 'product' and recommendations.first_id = firsts.product_id
    left join products as seconds
        on recommendations.item_kind = 'product' and recommendations.item_id = seconds.product_id
)

select
    customer_id,
    item_kind as recommended_kind,
    item_id as recommended_id,
    item_name as recommended_name,
    first_id as because_id,
    'Bought ' || first_name || '; ' || confidence_percent || ' % of orders with '
    || first_name || ' have ' || item_name || ' too.' as because,
    '购买过' || first_name || '；含' || first_name || '的订单中，'
    || confidence_percent || '%也包含' || item_name || '。' as because_zh,

    place as recommendation_rank,
    confidence,
    lift,

    learned_on as as_of_date
from named
