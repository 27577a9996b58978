with totals as (
    select * from {{ ref('int_tier_totals') }}
),

concentration as (
    select * from {{ ref('revenue_concentration') }} where dimension = 'tier'
),

budget_shares as (
    select * from {{ ref('int_budget_shares') }}
),

compared as (
    select
        *,
        -- the contacts and costs of none are also those of people who have never ordered
        case when tier_rank > 0 then customers else 0 end as customers_with_tier,
        sum(window_revenue) over () as all_window_revenue
    from totals
),

budget as (
    select count(*) as tiers from budget_shares
),

-- none has no part in a budget
budgeted as (
    select
        compared.*,
        case
            when compared.tier_rank > 0 then budget_shares.recommended_budget_share
            when budget.tiers > 0 then 0
        end as recommended_budget_share
    from compared
    cross join budget
    left join budget_shares on compared.tier_rank = budget_shares.tier_rank
)

select
    budgeted.tier_code,

    budgeted.tier_rank,
    budgeted.customers,
    budgeted.active_customers,
    budgeted.customers_at_risk,
    budgeted.window_revenue,
    {{ share('budgeted.window_revenue', 'budgeted.all_window_revenue') }} as window_revenue_share,
    budgeted.revenue_at_risk,
    budgeted.growth_potential,
    budgeted.served_customers,
    budgeted.service_contacts,
    {{ mean_amount('budgeted.service_contacts', 'budgeted.customers_with_tier') }}
        as service_contacts_per_customer,
    budgeted.campaign_cost,
    {{ mean_amount('budgeted.campaign_cost', 'budgeted.customers_with_tier') }}
        as campaign_cost_per_customer,
    {{ share('budgeted.customers_retained', 'budgeted.customers_before') }} as retention_rate,
    cast(budgeted.recommended_budget_share as decimal(7, 6)) as recommended_budget_share,
    {%- for percent in top_percents() %}
    concentration.top_{{ percent }}_share,
    {%- endfor %}
    concentration.gini,

    budgeted.as_of_date
from budgeted
left join concentration on budgeted.tier_code = concentration.dimension_value
