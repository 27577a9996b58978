{%- set is_by_group = "'" ~ setting('tier_level') ~ "' = 'group'" -%}
with inputs as (
    select * from {{ ref('int_group_inputs') }}
),

groups as (
    select * from {{ ref('int_customer_groups') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

lifetimes as (
    select * from {{ ref('int_customer_lifetimes') }}
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

-- none unless the group is the customer
scores as (
    select * from {{ ref('int_current_scores') }} where {{ is_by_group }}
),

tiers as (
    select * from {{ ref('int_current_tiers') }} where {{ is_by_group }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

members as (
    select
        groups.root_customer_id,
        count(*) as members,
        count(case when lifetimes.lifetime_orders > 0 then 1 end) as members_with_orders,
        sum(lifetimes.lifetime_orders) as lifetime_orders,
        sum(lifetimes.lifetime_revenue) as lifetime_revenue
    from groups
    inner join customers on groups.customer_id = customers.customer_id
    left join lifetimes on customers.customer_key = lifetimes.customer_key
    group by groups.root_customer_id
),

scored as (
    select
        inputs.*,
        case
            when weight_sets.score_coverage > 0
                then
                    0
                    {%- for input in order_inputs() %}
                    + coalesce(inputs.{{ input }}_normalised * weight_sets.{{ input }}_weight, 0)
                    {%- endfor %}
        end as management_score,
        weight_sets.score_coverage
    from inputs
    left join weight_sets
        on
            inputs.period_index = weight_sets.period_index
            and inputs.known_inputs = weight_sets.known_inputs
)

select
    members.root_customer_id,
    case when {{ is_by_group }} then coalesce(tiers.tier_code, 'none') end as tier_code,

    cast(members.members as bigint) as members,
    cast(members.members_with_orders as bigint) as members_with_orders,
    scored.recency_days,
    scored.frequency,
    scored.monetary,
    scored.monetary as window_revenue,
    cast(coalesce(members.lifetime_orders, 0) as bigint) as lifetime_orders,
    cast(coalesce(members.lifetime_revenue, 0) as decimal(18, 2)) as lifetime_revenue,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    cast(
        case when {{ is_by_group }} then scores.management_score else scored.management_score end
        as decimal(18, 14)
    ) as management_score,
    cast(
        case when {{ is_by_group }} then scores.score_coverage else scored.score_coverage end
        as decimal(15, 14)
    ) as score_coverage,

    scored.first_order_on,
    scored.last_order_on,
    as_of.as_of_date
from members
cross join as_of
inner join scored on members.root_customer_id = scored.root_customer_id
left join scores on members.root_customer_id = scores.customer_id
left join tiers on members.root_customer_id = tiers.customer_id
