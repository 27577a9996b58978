with tiers as (
    select * from {{ ref('int_current_tiers') }} where customer_status <> 'prospect'
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

higher_tiers as (
    select
        tiers.customer_id,
        tier_rules.tier_code,

        tier_rules.tier_rank,
        tiers.management_score,
        tiers.frequency,
        tiers.monetary,
        tier_rules.enter_score,
        coalesce(tier_rules.enter_min_orders, 0) as enter_min_orders,
        coalesce(tier_rules.enter_min_revenue, 0) as enter_min_revenue
    from tiers
    inner join tier_rules
        on
            tiers.rules_valid_from = tier_rules.version_valid_from
            and tiers.tier_rank < tier_rules.tier_rank
)

select
    customer_id,
    tier_code,

    tier_rank,
    case
        when management_score is not null
            then cast(greatest(enter_score - management_score, 0) as decimal(18, 14))
    end as points_missing,
    greatest(enter_min_orders - frequency, 0) as orders_missing,
    cast(greatest(enter_min_revenue - monetary, 0) as decimal(18, 2)) as revenue_missing
from higher_tiers
