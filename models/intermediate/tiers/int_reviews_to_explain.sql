{# The reviews whose decision depends on how the customer moved since the reference, the newest review before
   that entered, kept or raised the tier; with the scores at the review. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

scores as (
    select * from {{ ref('int_customer_scores') }}
),

explained as (
    select
        states.customer_key,
        states.period_index,
        states.reference_index,
        states.change_type,
        states.tier_rank,
        case when states.change_type = 'upgrade' then 1 else -1 end as direction,
        scores.customer_status,
        scores.known_inputs,
        scores.management_score,
        scores.recency_days,
        scores.frequency,
        scores.monetary,
        scores.tenure_days,
        scores.categories
        {%- for component, input, is_known in customer_tiering.score_inputs() %},
        scores.{{ input }}_normalised
        {%- endfor %}
    from states
    inner join scores on states.customer_key = scores.customer_key and states.period_index = scores.period_index
    where
        states.change_type in ('upgrade', 'protected', 'grace', 'downgrade')
        or (states.change_type = 'leave' and scores.customer_status = 'active')
)

select * from explained
