{%- set labelled = {
    'tier': ('tier', 'customers.tier_code'),
    'stage': ('lifecycle_stage', 'customers.lifecycle_stage'),
    'segment': ('segment', 'customers.segment_code'),
    'high_net_worth': ('high_net_worth', 'customers.high_net_worth'),
    'alert': ('alert', 'open_alerts.alert_code'),
    'severity': ('severity', 'open_alerts.severity'),
    'action': ('action', 'open_actions.action_code'),
    'department': ('department', 'open_actions.owner_department'),
    'channel': ('action_channel', 'open_actions.channel'),
    'offer': ('offer', 'open_actions.offer'),
} %}
with customers as (
    select * from {{ ref('customers') }}
),

tiers as (
    select * from {{ ref('customer_tiers') }}
),

scores as (
    select * from {{ ref('customer_scores') }}
),

labels as (
    select * from {{ ref('labels') }}
),

newest_review as (
    select
        max(period_end) as as_of_date,
        count(case when is_open_period then 1 end) > 0 as is_provisional
    from {{ ref('review_periods') }}
),

actions as (
    select * from {{ ref('customer_actions') }}
),

profile_attributes as (
    select * from {{ ref('int_profile_attributes') }}
),

open_alerts as (
    select
        *,
        row_number() over severest_first as place,
        string_agg(alert_code, ';') over severest_first as alert_codes
    from {{ ref('customer_alerts') }}
    where is_open
    window severest_first as (
        partition by customer_id
        order by
            case severity when 'high' then 1 when 'medium' then 2 else 3 end,
            raised_on desc,
            alert_code
        rows between unbounded preceding and unbounded following
    )
),

-- those of the customer who is reviewed; marketing takes the consent of each member too
open_actions as (
    select
        customers.customer_id as member_id,
        actions.*,
        row_number() over most_urgent_first as place,
        string_agg(actions.action_code, ';') over most_urgent_first as action_codes
    from customers
    inner join actions on customers.reviewed_customer_id = actions.customer_id
    where
        actions.action_code <> 'none'
        and (customers.has_marketing_consent or not actions.is_marketing)
    window most_urgent_first as (
        partition by customers.customer_id
        order by actions.priority, actions.action_code
        rows between unbounded preceding and unbounded following
    )
)

select
    customers.customer_id,
    customers.root_customer_id,
    customers.customer_type,
    customers.tier_code,
    {{ both_labels('tier', 'tier') }},
    customers.lifecycle_stage,
    {{ both_labels('stage', 'lifecycle') }},
    customers.segment_code,
    {{ both_labels('segment', 'segment') }},
    customers.high_net_worth,
    {{ both_labels('high_net_worth', 'high_net_worth') }},
    open_alerts.alert_codes,
    open_alerts.alert_code,
    {{ both_labels('alert', 'alert') }},
    open_alerts.severity as alert_severity,
    {{ both_labels('severity', 'alert_severity') }},
    open_alerts.evidence as alert_evidence,
    open_actions.action_codes,
    open_actions.action_code,
    {{ both_labels('action', 'action') }},
    open_actions.owner_department as action_department,
    {{ both_labels('department', 'action_department') }},
    open_actions.channel as action_channel,
    {{ both_labels('channel', 'action_channel') }},
    open_actions.offer as action_offer,
    {{ both_labels('offer', 'action_offer') }},
    open_actions.recommended_name as action_recommendation,
    open_actions.because as action_because_en,
    open_actions.because_zh as action_because_zh,
    profile_attributes.attributes,

    customers.lifetime_orders,
    customers.lifetime_revenue,
    customers.tier_rank,
    cast(tiers.points_to_keep as decimal(5, 2)) as points_to_keep,
    cast(tiers.points_to_next as decimal(5, 2)) as points_to_next,
    tiers.orders_to_next,
    tiers.revenue_to_next,
    {% for component in score_components() -%}
    cast(scores.{{ component }}_score as decimal(5, 2)) as {{ component }}_score,
    {% endfor -%}
    cast(scores.management_score as decimal(5, 2)) as management_score,
    scores.star_rating,
    customers.newest_balance,
    customers.average_balance,

    customers.has_marketing_consent,
    customers.is_erased,
    newest_review.is_provisional,

    customers.first_order_on,
    customers.last_order_on,
    customers.tier_since,
    tiers.protected_until,
    tiers.next_review_on,
    open_alerts.raised_on as alert_raised_on,
    open_actions.due_on as action_due_on,
    newest_review.as_of_date
from customers
cross join newest_review
left join tiers on customers.reviewed_customer_id = tiers.customer_id
left join scores on customers.reviewed_customer_id = scores.customer_id
left join profile_attributes on customers.customer_id = profile_attributes.customer_id
left join open_alerts
    on customers.reviewed_customer_id = open_alerts.customer_id and open_alerts.place = 1
left join open_actions on customers.customer_id = open_actions.member_id and open_actions.place = 1
{%- for name, (kind, code) in labelled.items() %}
left join labels as {{ name }}_labels
    on {{ name }}_labels.kind = '{{ kind }}' and {{ code }} = {{ name }}_labels.code
{%- endfor %}
