{# Laws: customers and revenue are those of tier_summary at the newest review; what the tiers' campaigns cost and what is
   placed nowhere is what campaigns of the window cost. #}
with newest_period as (
    select max(period_end) as period_end from {{ ref('review_periods') }}
),

summary as (
    select tier_summary.*
    from {{ ref('tier_summary') }} as tier_summary
    inner join newest_period on tier_summary.period_end = newest_period.period_end
),

costs as (
    select sum(campaigns.cost_amount) as all_costs
    from {{ ref('stg_marketing__campaigns') }} as campaigns
    inner join newest_period on {{ in_window('campaigns.starts_on', 'newest_period.period_end') }}
),

placed as (
    select sum(campaign_cost) as cost from {{ ref('tier_economics') }}
),

unplaced as (
    select sum(amount) as cost
    from {{ ref('warnings') }}
    where warning_code = 'unplaced_campaign_cost'
)

select
    coalesce(economics.tier_code, summary.tier_code) as subject,
    summary.customers as customers_or_cost,
    economics.customers as found_customers_or_cost,
    summary.window_revenue,
    economics.window_revenue as found_window_revenue
from {{ ref('tier_economics') }} as economics
full outer join summary on economics.tier_code = summary.tier_code
where
    economics.customers is distinct from summary.customers
    or economics.window_revenue is distinct from summary.window_revenue
    or economics.window_revenue_share is distinct from summary.window_revenue_share
union all
select
    'campaign_cost' as subject,
    costs.all_costs as customers_or_cost,
    coalesce(placed.cost, 0) + coalesce(unplaced.cost, 0) as found_customers_or_cost,
    cast(null as decimal(18, 2)) as window_revenue,
    cast(null as decimal(18, 2)) as found_window_revenue
from costs
cross join placed
cross join unplaced
where coalesce(costs.all_costs, 0) <> coalesce(placed.cost, 0) + coalesce(unplaced.cost, 0)
