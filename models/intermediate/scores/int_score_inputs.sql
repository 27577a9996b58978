with measured as (
    select * from {{ ref('int_measured_inputs') }}
),

interaction_ranks as (
    select * from {{ ref('int_interaction_ranks') }}
),

normalised as (
    select
        measured.customer_key,
        measured.period_index,
        measured.review_number,

        measured.recency_days,
        measured.frequency,
        measured.monetary,
        measured.period_revenue,
        measured.tenure_days,
        measured.order_days,
        measured.last_gap_days,
        measured.own_gap_days,
        measured.categories,
        measured.newest_balance,
        {%- for input, own_count in interaction_inputs() %}
        measured.{{ own_count }},
        {%- endfor %}
        measured.r_score,
        measured.f_score,
        measured.m_score,

        {{ normalised('2500 * (measured.r_score - 1)') }} as recency_normalised,
        {{ normalised('2500 * (measured.f_score - 1)') }} as frequency_normalised,
        {{ normalised('2500 * (measured.m_score - 1)') }} as monetary_normalised,
        measured.contribution as contribution_normalised,
        case
            when measured.has_trend
                then {{ revenue_trend_normalised(
                    'measured.first_half_cents', 'measured.second_half_cents', 'measured.frequency'
                ) }}
        end as revenue_trend_normalised,
        case
            when measured.customer_status = 'active'
                then {{ repeat_rate_normalised('measured.frequency') }}
            when measured.is_valued then cast(0 as decimal(5, 2))
        end as repeat_rate_normalised,
        {{ share_of_enough('measured.tenure_days', 1095) }} as tenure_normalised,
        {{ share_of_enough('measured.categories', 5) }} as categories_normalised,
        {{ share_of_enough('measured.referrals', 3) }} as referrals_normalised,
        {{ normalised('1000 * measured.nps_answer') }} as nps_normalised,
        {{ normalised(rounded_ratio(
            '2500 * (measured.csat_sum - measured.csat_answers)', 'measured.csat_answers'
        )) }} as csat_normalised,
        {{ normalised(rounded_ratio('10000', '(1 + measured.complaints)')) }}
            as complaints_normalised,
        {%- for input, own_count in interaction_inputs() %}
        case
            when
                measured.customer_status = 'lapsed'
                and measured.{{ own_count }} = 0
                and {{ input }}_ranks.rank_share > 0
                then cast(0 as decimal(5, 2))
            when measured.is_valued then {{ input }}_ranks.rank_share
        end as {{ input }}_normalised,
        {%- endfor %}
        {{ normalised(rounded_ratio(
            '10000 * measured.service_revenue', 'measured.typed_revenue'
        )) }} as demand_breadth_normalised,
        {{ share_of_enough('measured.new_categories', 2) }} as new_categories_normalised,
        measured.balance as balance_normalised
    from measured
    left join interaction_ranks as active_days_ranks
        on
            measured.period_index = active_days_ranks.period_index
            and measured.active_days = active_days_ranks.own_count
            and active_days_ranks.input = 'active_days'
    left join interaction_ranks as channels_ranks
        on
            measured.period_index = channels_ranks.period_index
            and measured.channels = channels_ranks.own_count
            and channels_ranks.input = 'channels'
    left join interaction_ranks as usage_time_ranks
        on
            measured.period_index = usage_time_ranks.period_index
            and measured.usage_seconds = usage_time_ranks.own_count
            and usage_time_ranks.input = 'usage_time'
    left join interaction_ranks as contact_regularity_ranks
        on
            measured.period_index = contact_regularity_ranks.period_index
            and measured.contact_months = contact_regularity_ranks.own_count
            and contact_regularity_ranks.input = 'contact_regularity'
),

with_known_inputs as (
    select
        *,
        {% for component, input in score_inputs() -%}
        {{ '+ ' if not loop.first -}}
        case when {{ input }}_normalised is null then 0 else {{ 2 ** loop.index0 }} end
        {% endfor %} as known_inputs
    from normalised
)

select * from with_known_inputs
