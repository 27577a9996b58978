{# Customers of high tiers without any sign for long: neither an order nor a contact of any kind. #}
with stages as (
    select * from {{ ref('int_lifecycle_stages') }}
),

states as (
    select * from {{ ref('int_tier_states') }}
),

rules as (
    select * from {{ ref('alert_rules') }} where alert_code = 'silent_high_value'
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

interactions as (
    select * from {{ ref('int_interactions') }}
),

responses as (
    select * from {{ ref('int_survey_responses') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
),

least_rule as (
    select
        min(coalesce(measure_from, 0)) as silent_days,
        min(coalesce(tier_rank_from, 0)) as tier_rank
    from rules
),

-- contacts are looked up for those few whose orders have been missing for long enough
without_orders as (
    select
        stages.customer_key,
        stages.period_index,
        stages.recency_days,
        stages.expected_gap_days,
        periods.period_end
    from stages
    inner join states
        on
            stages.customer_key = states.customer_key
            and stages.period_index = states.period_index
    inner join periods on stages.period_index = periods.period_index
    inner join least_rule
        on
            stages.recency_days >= least_rule.silent_days
            and states.tier_rank >= least_rule.tier_rank
),

contact_days as (
    select
        customer_key,
        occurred_on as contact_on
    from interactions
    union distinct
    select
        customer_key,
        responded_on as contact_on
    from responses
    union distinct
    select
        customer_key,
        opened_on as contact_on
    from tickets
),

contacts as (
    select
        contact_days.customer_key,
        contact_days.contact_on,
        lead(contact_days.contact_on) over (
            partition by contact_days.customer_key order by contact_days.contact_on
        ) as next_contact_on
    from contact_days
    where
        contact_days.customer_key in (
            select without_orders.customer_key from without_orders
        )
),

silent as (
    select
        without_orders.customer_key,
        without_orders.period_index,
        without_orders.expected_gap_days,
        least(
            without_orders.recency_days,
            coalesce(
                {{ days_between('contacts.contact_on', 'without_orders.period_end') }},
                without_orders.recency_days
            )
        ) as silent_days
    from without_orders
    left join contacts
        on
            without_orders.customer_key = contacts.customer_key
            and without_orders.period_end >= contacts.contact_on
            and (
                contacts.next_contact_on is null
                or without_orders.period_end < contacts.next_contact_on
            )
),

candidates as (
    select
        customer_key,
        period_index,
        'silent_high_value' as alert_code,
        {{ figure('silent_days') }} as measure,
        {{ figure('silent_days') }} as value_now,
        {{ figure('expected_gap_days') }} as value_before
    from silent
)

select * from candidates
