{# Sums by bucket, of which intervals of revenue are drawn. The digits that choose it are not
   those by which customers are held out. #}
{%- set dimensions = [('all', "'all'"), ('tier', 'tier_code'), ('segment', 'segment_code')] -%}
with campaigns as (
    select * from {{ ref('int_campaigns') }}
),

campaign_customers as (
    select * from {{ ref('int_campaign_customers') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

periods as (
    select * from {{ ref('int_review_periods') }} where not is_open_period
),

states as (
    select * from {{ ref('int_tier_states') }}
),

tier_names as (
    select * from {{ ref('int_tier_names') }}
),

inputs as (
    select * from {{ ref('int_score_inputs') }}
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

window_days as (
    select
        campaigns.campaign_id,
        campaigns.as_of_date,
        days.date_day
    from campaigns
    inner join days on days.date_day between campaigns.starts_on and campaigns.window_ends_on
    where campaigns.is_over
),

outcomes as (
    select
        window_days.campaign_id,
        ledger.customer_key,
        sum(ledger.orders_delta) as orders,
        sum(ledger.revenue_delta) as revenue
    from window_days
    inner join ledger
        on
            window_days.date_day = ledger.order_date
            and window_days.as_of_date >= ledger.known_date
    group by 1, 2
),

reviews as (
    select
        campaigns.campaign_id,
        periods.period_index
    from campaigns
    inner join periods on campaigns.reviewed_on = periods.period_end
    where campaigns.is_over
),

-- inner joins, so that the many reviews pass by the few customers of campaigns
reviewed as (
    select
        campaign_customers.campaign_id,
        campaign_customers.customer_key,
        tier_names.tier_code,
        {{ segment(
            customer_status('inputs.recency_days', 'inputs.frequency'), 'cells.segment_code'
        ) }} as segment_code
    from campaign_customers
    inner join reviews on campaign_customers.campaign_id = reviews.campaign_id
    inner join states
        on
            campaign_customers.customer_key = states.customer_key
            and reviews.period_index = states.period_index
    inner join inputs
        on
            states.customer_key = inputs.customer_key
            and states.period_index = inputs.period_index
    inner join tier_names on states.tier_rank = tier_names.tier_rank
    left join cells
        on
            inputs.r_score = cells.r_score
            and inputs.f_score = cells.f_score
            and inputs.m_score = cells.m_score
),

placed as (
    select
        campaign_customers.campaign_id,
        campaign_customers.assigned_by,
        campaign_customers.contact_group,
        campaign_customers.is_contacted,
        campaigns.is_over,
        coalesce(reviewed.tier_code, 'none') as tier_code,
        coalesce(reviewed.segment_code, 'prospect') as segment_code,
        right(md5(campaign_customers.campaign_id || '|' || campaign_customers.customer_id), 2)
            as bucket,
        case when outcomes.orders > 0 then 1 else 0 end as has_responded,
        coalesce(outcomes.revenue, 0) as revenue
    from campaign_customers
    inner join campaigns on campaign_customers.campaign_id = campaigns.campaign_id
    left join reviewed
        on
            campaign_customers.campaign_id = reviewed.campaign_id
            and campaign_customers.customer_key = reviewed.customer_key
    left join outcomes
        on
            campaign_customers.campaign_id = outcomes.campaign_id
            and campaign_customers.customer_key = outcomes.customer_key
),

{% for dimension, dimension_value in dimensions -%}
by_{{ dimension }} as (
    select
        campaign_id,
        '{{ dimension }}' as dimension,
        cast({{ dimension_value }} as {{ string_type() }}) as dimension_value,
        assigned_by,
        contact_group,
        bucket,

        count(*) as customers,
        sum(is_contacted) as contacted,
        sum(has_responded) as responses,
        cast(sum(revenue) as decimal(18, 2)) as revenue
    from placed
    {%- if dimension != 'all' %}
    where is_over
    {%- endif %}
    group by 1, 2, 3, 4, 5, 6
){{ ',' if not loop.last }}

{% endfor -%}
{% for dimension, dimension_value in dimensions -%}
select * from by_{{ dimension }}
{{ 'union all' if not loop.last }}
{% endfor -%}
