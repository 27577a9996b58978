with tier_rules as (
    select * from {{ ref('tiers') }}
)

select distinct
    tier_rank,
    cast(tier_code as {{ string_type() }}) as tier_code
from tier_rules
union all
select
    0 as tier_rank,
    'none' as tier_code
