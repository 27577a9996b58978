with customers as (
    select
        customer_id,
        segment_code,
        lifecycle_stage,
        tier_rank,
        coalesce(has_marketing_consent, false) as has_consent,
        coalesce(is_erased, false) as is_erased
    from {{ ref('customers') }}
    where customer_id = reviewed_customer_id
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

open_alerts as (
    select
        customer_keys.customer_id,
        alert_reviews.*
    from {{ ref('int_alert_reviews') }} as alert_reviews
    inner join newest_period on alert_reviews.period_index = newest_period.period_index
    inner join {{ ref('int_customers') }} as customer_keys
        on alert_reviews.customer_key = customer_keys.customer_key
),

-- no marketing without consent, and no action for erased persons
matching as (
    select
        customers.customer_id,
        customers.has_consent,
        playbook.priority,
        playbook.action_code,
        playbook.stance,
        playbook.alert_code
    from customers
    inner join {{ ref('playbook') }} as playbook
        on
            customers.tier_rank >= coalesce(playbook.tier_rank_from, customers.tier_rank)
            and customers.tier_rank <= coalesce(playbook.tier_rank_to, customers.tier_rank)
            and customers.segment_code = coalesce(playbook.segment_code, customers.segment_code)
            and customers.lifecycle_stage
            = coalesce(playbook.lifecycle_stage, customers.lifecycle_stage)
            and (customers.has_consent or not playbook.is_marketing)
            and (not customers.is_erased or playbook.action_code = 'none')
),

due as (
    select
        matching.*,
        row_number() over (
            partition by matching.customer_id, matching.action_code order by matching.priority
        ) as place_in_action
    from matching
    left join open_alerts
        on
            matching.customer_id = open_alerts.customer_id
            and matching.alert_code = open_alerts.alert_code
    where matching.alert_code is null or open_alerts.alert_code is not null
),

-- keeping a customer and selling more are never due together: the more urgent one decides
with_stance_priorities as (
    select
        *,
        min(case when stance = 'protect' then priority end) over (partition by customer_id)
            as protect_priority,
        min(case when stance = 'expand' then priority end) over (partition by customer_id)
            as expand_priority
    from due
    where place_in_action = 1
),

unopposed as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by case when action_code = 'none' then 1 else 0 end, priority
        ) as place
    from with_stance_priorities
    where
        stance = 'neutral'
        or (stance = 'protect' and (protect_priority < expand_priority or expand_priority is null))
        or (stance = 'expand' and (expand_priority < protect_priority or protect_priority is null))
),

kept as (
    select *
    from unopposed
    where place = 1 or (action_code <> 'none' and place <= {{ setting('max_open_actions') }})
),

-- texts and figures come last: carried through the windows, they cost half of all
worded as (
    select
        kept.customer_id,
        kept.has_consent,
        playbook.*,
        open_alerts.measure,
        open_alerts.value_now,
        open_alerts.value_before,
        open_alerts.detail,
        contact_dates.next_contact_on,
        contact_dates.last_contact_on,
        recommendations.recommended_kind,
        recommendations.recommended_id,
        recommendations.recommended_name
    from kept
    inner join {{ ref('playbook') }} as playbook on kept.priority = playbook.priority
    left join {{ ref('recommending_offers') }} as offers on playbook.offer = offers.offer
    left join {{ ref('customer_recommendations') }} as recommendations
        on
            kept.customer_id = recommendations.customer_id
            and recommendations.recommendation_rank = 1
            and offers.offer is not null
    left join {{ ref('int_contact_dates') }} as contact_dates
        on kept.customer_id = contact_dates.customer_id
    left join open_alerts
        on kept.customer_id = open_alerts.customer_id and kept.alert_code = open_alerts.alert_code
)

select
    worded.customer_id,
    worded.action_code,
    worded.owner_department,
    worded.channel,
    worded.offer,
    worded.stance,
    {{ with_figures('because_en', 'worded') }} as because,
    {{ with_figures('because_zh', 'worded') }} as because_zh,
    worded.recommended_kind,
    worded.recommended_id,
    worded.recommended_name,

    worded.priority,

    worded.is_marketing,
    worded.has_consent as is_contactable,

    case
        when worded.action_code = 'none' then null
        -- what an alert asks for does not wait for the next contact
        when worded.alert_code is not null then newest_period.period_end
        else worded.next_contact_on
    end as due_on,
    worded.last_contact_on,
    newest_period.period_end as as_of_date
from worded
cross join newest_period
