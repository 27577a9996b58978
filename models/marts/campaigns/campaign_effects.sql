with campaigns as (
    select * from {{ ref('int_campaigns') }}
),

cells as (
    select * from {{ ref('int_campaign_cells') }}
),

intervals as (
    select * from {{ ref('int_campaign_intervals') }}
),

compared as (
    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        coalesce(cells.dimension, 'all') as dimension,
        coalesce(cells.dimension_value, 'all') as dimension_value,
        case
            when not campaigns.is_over then 'pending'
            when cells.treated > 0 and cells.held_out > 0 then 'judged'
            else 'no_holdout'
        end as effect_status,
        cells.assigned_by,
        coalesce(cells.treated, 0) as treated,
        coalesce(cells.held_out, 0) as held_out,
        coalesce(cells.left_out, 0) as left_out,
        coalesce(cells.treated_contacted, 0) as treated_contacted,
        coalesce(cells.held_out_contacted, 0) as held_out_contacted,
        cells.treated_responses,
        cells.held_out_responses,
        cells.treated_revenue,
        cells.held_out_revenue,
        intervals.incremental_revenue_low,
        intervals.incremental_revenue_high,
        case when coalesce(cells.dimension, 'all') = 'all' then campaigns.cost_amount end as cost,
        campaigns.starts_on,
        campaigns.window_ends_on
    from campaigns
    left join cells on campaigns.campaign_id = cells.campaign_id
    left join intervals on cells.interval_key = intervals.interval_key
),

rated as (
    select
        *,
        {%- for name in ['treated', 'held_out'] %}
        case when effect_status = 'judged' then {{ ratio(name ~ '_responses', name) }} end
            as {{ name }}_part,
        case
            when effect_status = 'judged' then {{ wilson_bound(name ~ '_responses', name, '-1') }}
        end as {{ name }}_low,
        case
            when effect_status = 'judged' then {{ wilson_bound(name ~ '_responses', name, '1') }}
        end as {{ name }}_high,
        {%- endfor %}
        case
            when effect_status = 'judged'
                then
                    treated_revenue
                    - cast(
                        {{ rounded_ratio(cents('held_out_revenue') ~ ' * treated', 'held_out') }}
                        as decimal(18, 0)
                    ) * 0.01
        end as incremental_revenue
    from compared
),

judged as (
    select
        *,
        {{ points('treated_part - held_out_part') }} as effect,
        {{ points(newcombe_bound('-1')) }} as effect_low,
        {{ points(newcombe_bound('1')) }} as effect_high
    from rated
)

select
    campaign_id,
    campaign_name,
    dimension,
    dimension_value,
    effect_status,
    assigned_by,

    treated,
    held_out,
    left_out,
    treated_contacted,
    held_out_contacted,
    case when effect_status <> 'pending' then treated_responses end as treated_responses,
    case when effect_status <> 'pending' then held_out_responses end as held_out_responses,
    case when effect_status <> 'pending' then {{ share('treated_responses', 'treated') }} end
        as treated_rate,
    case when effect_status <> 'pending' then {{ share('held_out_responses', 'held_out') }} end
        as held_out_rate,
    effect,
    effect_low,
    effect_high,
    case when effect_status <> 'pending' then treated_revenue end as treated_revenue,
    case when effect_status <> 'pending' then held_out_revenue end as held_out_revenue,
    cast(incremental_revenue as decimal(18, 2)) as incremental_revenue,
    incremental_revenue_low,
    incremental_revenue_high,
    cost,
    case
        when cost > 0 and incremental_revenue is not null
            then cast({{ rounded(ratio('incremental_revenue', 'cost'), 4) }} as decimal(18, 4))
    end as return_on_cost,

    coalesce(effect_low > 0 or effect_high < 0, false) as is_significant,
    coalesce(incremental_revenue_low > 0 or incremental_revenue_high < 0, false)
        as is_revenue_significant,

    starts_on,
    window_ends_on
from judged
