with rfm as (
    select * from {{ ref('int_customer_rfm') }}
),

revenue_ranks as (
    select * from {{ ref('int_revenue_ranks') }}
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

starts as (
    select * from {{ ref('int_signal_starts') }}
),

interaction_ranks as (
    select * from {{ ref('int_interaction_ranks') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

measured as (
    select
        rfm.*,
        revenue_ranks.contribution,
        coalesce(signals.categories, 0) as category_count,
        coalesce(signals.new_categories, 0) as new_category_count,
        coalesce(signals.converted_referrals, 0) as referral_count,
        signals.nps_answer,
        signals.csat_sum,
        signals.csat_answers,
        coalesce(signals.complaints, 0) + coalesce(signals.open_complaints, 0) as complaint_count,
        coalesce(signals.active_days, 0) as active_days,
        coalesce(signals.channels, 0) as channels,
        coalesce(signals.usage_seconds, 0) as usage_seconds,
        coalesce(signals.contact_months, 0) as contact_months,
        signals.typed_revenue,
        greatest(least(signals.service_revenue, signals.typed_revenue), 0) as service_revenue,
        {{ cents('greatest(rfm.revenue_first_half, 0)') }} as first_half_cents,
        {{ cents('greatest(rfm.revenue_second_half, 0)') }} as second_half_cents,
        rfm.last_order_on - rfm.first_order_on as tenure_days,

        rfm.customer_status <> 'prospect' as is_valued,
        rfm.customer_status <> 'prospect'
        and coalesce(starts.categories_from <= periods.period_end, false) as has_categories,
        rfm.customer_status <> 'prospect'
        and rfm.first_order_on <= periods.period_end - {{ half_year_days() }}
        and coalesce(
            starts.categories_from <= periods.period_end - {{ half_year_days() }},
            false
        ) as has_new_categories,
        rfm.customer_status <> 'prospect'
        and coalesce(starts.referrals_from <= periods.period_end, false) as has_referrals,
        rfm.customer_status <> 'prospect'
        and coalesce(starts.tickets_from <= periods.period_end, false) as has_tickets,
        rfm.customer_status <> 'prospect' and signals.nps_answer is not null as has_nps,
        rfm.customer_status <> 'prospect' and coalesce(signals.csat_answers > 0, false) as has_csat,
        rfm.customer_status <> 'prospect' and coalesce(signals.typed_revenue > 0, false)
            as has_demand,
        rfm.customer_status = 'active'
        and rfm.first_order_on <= periods.period_end - {{ year_days() }}
        and (rfm.revenue_first_half > 0 or rfm.revenue_second_half > 0) as has_trend
    from rfm
    inner join periods on rfm.period_index = periods.period_index
    cross join starts
    left join revenue_ranks
        on
            rfm.period_index = revenue_ranks.period_index
            and rfm.monetary = revenue_ranks.monetary
            and rfm.customer_status = 'active'
    left join signals
        on
            rfm.customer_key = signals.customer_key
            and rfm.period_index = signals.period_index
),

ranked as (
    select
        {%- for input, own_count in interaction_inputs() %}
        case
            when
                measured.customer_status = 'lapsed'
                and measured.{{ own_count }} = 0
                and {{ input }}_ranks.rank_share > 0
                then cast(0 as decimal(5, 2))
            when measured.is_valued then {{ input }}_ranks.rank_share
        end as {{ input }}_rank_share,
        {%- endfor %}
        measured.*
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

normalised as (
    select
        customer_key,
        period_index,
        review_number,
        {% for component, input, is_known in score_inputs() -%}
        {{ '+ ' if not loop.first }}case when {{ is_known }} then {{ 2 ** loop.index0 }} else 0 end
        {% endfor %} as known_inputs,

        recency_days,
        frequency,
        monetary,
        period_revenue,
        tenure_days,
        order_days,
        last_gap_days,
        own_gap_days,
        case when has_categories then category_count end as categories,
        {%- for input, own_count in interaction_inputs() %}
        {{ own_count }},
        {%- endfor %}
        r_score,
        f_score,
        m_score,

        -- the lapsed are known and count zero
        {%- for metric, score in [
            ('recency', 'r_score'), ('frequency', 'f_score'), ('monetary', 'm_score')
        ] %}
        case when is_valued then {{ normalised('2500 * (' ~ score ~ ' - 1)') }} end
            as {{ metric }}_normalised,
        {%- endfor %}
        case when is_valued then coalesce(contribution, cast(0 as decimal(5, 2))) end
            as contribution_normalised,
        case
            when has_trend
                then {{ normalised(rounded_ratio(
                    '10000 * (second_half_cents * (frequency + 1) + first_half_cents)',
                    '(first_half_cents + second_half_cents) * (frequency + 2)',
                )) }}
        end as revenue_trend_normalised,
        case
            when customer_status = 'active'
                then {{ repeat_rate_normalised('frequency') }}
            when is_valued then cast(0 as decimal(5, 2))
        end as repeat_rate_normalised,
        case
            when is_valued
                then {{ normalised(
                    rounded_ratio('10000 * least(tenure_days, 1095)', '1095')
                ) }}
        end as tenure_normalised,
        case
            when has_categories
                then {{ normalised('2000 * least(category_count, 5)') }}
        end as categories_normalised,
        case
            when has_referrals
                then {{ normalised(
                    rounded_ratio('10000 * least(referral_count, 3)', '3')
                ) }}
        end as referrals_normalised,
        case
            when has_nps
                then {{ normalised('1000 * nps_answer') }}
        end as nps_normalised,
        case
            when has_csat
                then {{ normalised(
                    rounded_ratio('2500 * (csat_sum - csat_answers)', 'csat_answers')
                ) }}
        end as csat_normalised,
        case
            when has_tickets
                then {{ normalised(
                    rounded_ratio('10000', '(1 + complaint_count)')
                ) }}
        end as complaints_normalised,
        active_days_rank_share as active_days_normalised,
        channels_rank_share as channels_normalised,
        usage_time_rank_share as usage_time_normalised,
        case
            when has_demand
                then {{ normalised(
                    rounded_ratio('10000 * service_revenue', 'typed_revenue')
                ) }}
        end as demand_breadth_normalised,
        contact_regularity_rank_share as contact_regularity_normalised,
        case
            when has_new_categories
                then {{ normalised('5000 * least(new_category_count, 2)') }}
        end as new_categories_normalised
    from ranked
)

select * from normalised
