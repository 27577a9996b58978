{{ config(alias='tiers') }}

with tier_rules as (
    select * from {{ ref('tiers') }}
)

select
    version_valid_from,
    tier_code,
    tier_rank,
    label_en,
    label_zh,
    cast(enter_score as decimal(5, 2)) as enter_score,
    cast(keep_score as decimal(5, 2)) as keep_score,
    enter_min_orders,
    keep_min_orders,
    enter_min_revenue,
    keep_min_revenue
from tier_rules
