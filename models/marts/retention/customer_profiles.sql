{# One wide row per customer in words: what exports and work lists would else join by hand. #}
{%- set labelled = {
    'tier': ('tier', 'customers.tier_code'),
    'stage': ('lifecycle_stage', 'customers.lifecycle_stage'),
    'segment': ('segment', 'customers.segment_code'),
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

open_alerts as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by
                case severity when 'high' then 1 when 'medium' then 2 else 3 end,
                raised_on desc,
                alert_code
        ) as place
    from {{ ref('customer_alerts') }}
    where is_open
),

alert_lists as (
    select
        customer_id,
        string_agg(alert_code, ';' order by place) as alert_codes
    from open_alerts
    group by customer_id
),

open_actions as (
    select
        *,
        row_number() over (partition by customer_id order by priority, action_code) as place
    from {{ ref('customer_actions') }}
    where action_code <> 'none'
),

action_lists as (
    select
        customer_id,
        string_agg(action_code, ';' order by place) as action_codes
    from open_actions
    group by customer_id
)

select
    customers.customer_id,
    customers.root_customer_id,
    customers.customer_type,
    customers.tier_code,
    tier_labels.label_en as tier_label_en,
    tier_labels.label_zh as tier_label_zh,
    customers.lifecycle_stage,
    stage_labels.label_en as lifecycle_label_en,
    stage_labels.label_zh as lifecycle_label_zh,
    customers.segment_code,
    segment_labels.label_en as segment_label_en,
    segment_labels.label_zh as segment_label_zh,
    alert_lists.alert_codes,
    open_alerts.alert_code,
    alert_labels.label_en as alert_label_en,
    alert_labels.label_zh as alert_label_zh,
    open_alerts.severity as alert_severity,
    severity_labels.label_en as alert_severity_label_en,
    severity_labels.label_zh as alert_severity_label_zh,
    open_alerts.evidence as alert_evidence,
    action_lists.action_codes,
    open_actions.action_code,
    action_labels.label_en as action_label_en,
    action_labels.label_zh as action_label_zh,
    open_actions.owner_department as action_department,
    department_labels.label_en as action_department_label_en,
    department_labels.label_zh as action_department_label_zh,
    open_actions.channel as action_channel,
    channel_labels.label_en as action_channel_label_en,
    channel_labels.label_zh as action_channel_label_zh,
    open_actions.offer as action_offer,
    offer_labels.label_en as action_offer_label_en,
    offer_labels.label_zh as action_offer_label_zh,
    open_actions.because as action_because_en,
    open_actions.because_zh as action_because_zh,

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
left join alert_lists on customers.reviewed_customer_id = alert_lists.customer_id
left join open_alerts
    on customers.reviewed_customer_id = open_alerts.customer_id and open_alerts.place = 1
left join action_lists on customers.reviewed_customer_id = action_lists.customer_id
left join open_actions
    on customers.reviewed_customer_id = open_actions.customer_id and open_actions.place = 1
{%- for name, (kind, code) in labelled.items() %}
left join labels as {{ name }}_labels
    on {{ name }}_labels.kind = '{{ kind }}' and {{ code }} = {{ name }}_labels.code
{%- endfor %}
