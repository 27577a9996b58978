with code_labels as (
    select * from {{ ref('code_labels') }}
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

newest_rules as (
    select
        tier_code,
        label_en,
        label_zh,
        row_number() over (partition by tier_code order by version_valid_from desc) as place
    from tier_rules
)

select
    kind,
    code,
    label_en,
    label_zh
from code_labels
union all
select
    'tier' as kind,
    tier_code as code,
    label_en,
    label_zh
from newest_rules
where place = 1
