with current_scores as (
    select * from {{ ref('int_current_scores') }} where customer_status <> 'prospect'
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

scores as (
    select
        current_scores.*,
        signals.new_categories,
        signals.converted_referrals,
        signals.nps_answer,
        signals.csat_sum,
        signals.csat_answers,
        signals.complaints,
        signals.open_complaints,
        signals.active_days,
        signals.channels,
        signals.usage_seconds,
        signals.contact_months,
        signals.typed_revenue,
        signals.service_revenue
    from current_scores
    left join signals
        on
            current_scores.customer_key = signals.customer_key
            and current_scores.period_index = signals.period_index
),

weight_sets as (
    select * from {{ ref('int_score_weight_sets') }}
),

profile as (
    select component, input
    from {{ ref('score_weights') }}
    where profile = '{{ setting("score_profile") }}' and input is not null
),

coverage as (
    select * from {{ ref('int_input_coverage') }}
),

details as (
    {%- for component, input, is_known in score_inputs() %}
    select
        scores.customer_id,
        scores.period_index,
        '{{ component }}' as component,
        '{{ input }}' as input,
        cast({{ input_value(input) }} as decimal(20, 4)) as input_value,
        scores.{{ input }}_normalised as normalised_value,
        weight_sets.{{ input }}_weight as weight
    from scores
    inner join weight_sets
        on
            scores.period_index = weight_sets.period_index
            and scores.known_inputs = weight_sets.known_inputs
    union all
    {%- endfor %}
    -- inputs without any data yet; their weight went to the known ones
    select
        scores.customer_id,
        scores.period_index,
        profile.component,
        profile.input,
        null as input_value,
        null as normalised_value,
        0 as weight
    from scores
    cross join profile
    where
        profile.input not in (
            {%- for component, input, is_known in score_inputs() %}
            '{{ input }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
)

select
    details.customer_id,
    details.component,
    details.input,

    details.input_value,
    cast(details.normalised_value as decimal(5, 2)) as normalised_value,
    cast(coalesce(coverage.coverage_percent, 100) * 0.01 as decimal(3, 2)) as coverage,
    cast(details.weight as decimal(13, 12)) as weight,
    cast(coalesce(details.normalised_value * details.weight, 0) as decimal(18, 14)) as points
from details
left join coverage
    on
        details.period_index = coverage.period_index
        and details.input = coverage.input
