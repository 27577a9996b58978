{# How a budget is best divided over the tiers, by the weights of its drivers. #}
with totals as (
    select * from {{ ref('int_tier_totals') }} where tier_rank > 0
),

weights as (
    select * from {{ ref('budget_weights') }}
),

drivers as (
    {%- for driver in budget_drivers() %}
    select
        '{{ driver }}' as driver,
        tier_rank,
        cast(greatest({{ driver }}, 0) as decimal(18, 2)) as amount
    from totals
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

shared as (
    select
        driver,
        tier_rank,
        amount,
        sum(amount) over (partition by driver) as whole
    from drivers
),

-- a driver that is zero for everybody leaves its weight to the others
weighed as (
    select
        shared.tier_rank,
        sum(
            {{ in_millionths('weights.weight') }}
            * {{ in_millionths(share('shared.amount', 'shared.whole')) }}
        ) as points
    from shared
    inner join weights on shared.driver = weights.driver
    where shared.whole > 0
    group by 1
),

compared as (
    select
        tier_rank,
        points,
        sum(points) over () as all_points
    from weighed
),

in_millionths as (
    select
        tier_rank,
        cast({{ rounded_ratio('1000000 * points', 'all_points') }} as bigint) as share_millionths
    from compared
    where all_points > 0
),

placed as (
    select
        *,
        1 as everything,
        row_number() over (order by share_millionths desc, tier_rank desc) as place
    from in_millionths
)

select
    tier_rank,
    {{ share_with_remainder('everything') }} as recommended_budget_share
from placed
