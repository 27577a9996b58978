{# What the inputs of the scores are computed from. Unknown is NULL; that nothing happened in a
   source which is there is 0. #}
with rfm as (
    select
        *,
        customer_status <> 'prospect' as is_valued
    from {{ ref('int_customer_rfm') }}
),

revenue_ranks as (
    select * from {{ ref('int_revenue_ranks') }}
),

balance_ranks as (
    select * from {{ ref('int_balance_ranks') }}
),

signals as (
    select * from {{ ref('int_customer_signals') }}
),

starts as (
    select * from {{ ref('int_signal_starts') }}
),

periods as (
    select
        *,
        period_end - {{ half_year_days() }} as half_year_before,
        period_end - {{ year_days() }} as year_before
    from {{ ref('int_review_periods') }}
),

measured as (
    select
        rfm.customer_key,
        rfm.period_index,
        rfm.review_number,
        rfm.customer_status,

        rfm.recency_days,
        rfm.frequency,
        rfm.monetary,
        rfm.period_revenue,
        {{ days_between('rfm.first_order_on', 'rfm.last_order_on') }} as tenure_days,
        rfm.order_days,
        rfm.last_gap_days,
        rfm.own_gap_days,
        rfm.r_score,
        rfm.f_score,
        rfm.m_score,
        -- the lapsed are known and count zero
        case
            when rfm.is_valued then coalesce(revenue_ranks.contribution, cast(0 as decimal(5, 2)))
        end as contribution,
        case
            when rfm.is_valued and signals.newest_balance is not null
                then coalesce(balance_ranks.contribution, cast(0 as decimal(5, 2)))
        end as balance,
        signals.newest_balance,
        {{ cents('greatest(rfm.revenue_first_half, 0)') }} as first_half_cents,
        {{ cents('greatest(rfm.revenue_second_half, 0)') }} as second_half_cents,
        case
            when rfm.is_valued and starts.categories_from <= periods.period_end
                then coalesce(signals.categories, 0)
        end as categories,
        case
            when
                rfm.is_valued
                and rfm.first_order_on <= periods.half_year_before
                and starts.categories_from <= periods.half_year_before
                then coalesce(signals.new_categories, 0)
        end as new_categories,
        case
            when rfm.is_valued and starts.referrals_from <= periods.period_end
                then coalesce(signals.converted_referrals, 0)
        end as referrals,
        case when rfm.is_valued then signals.nps_answer end as nps_answer,
        signals.csat_sum,
        case when rfm.is_valued and signals.csat_answers > 0 then signals.csat_answers end
            as csat_answers,
        case
            when rfm.is_valued and starts.tickets_from <= periods.period_end
                then coalesce(signals.complaints, 0) + coalesce(signals.open_complaints, 0)
        end as complaints,
        -- counts of interactions are there whether they enter the score or not
        {%- for input, own_count in interaction_inputs() %}
        coalesce(signals.{{ own_count }}, 0) as {{ own_count }},
        {%- endfor %}
        greatest(least(signals.service_revenue, signals.typed_revenue), 0) as service_revenue,
        case when rfm.is_valued and signals.typed_revenue > 0 then signals.typed_revenue end
            as typed_revenue,

        rfm.is_valued,
        rfm.customer_status = 'active'
        and rfm.first_order_on <= periods.year_before
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
    left join balance_ranks
        on
            signals.period_index = balance_ranks.period_index
            and signals.newest_balance = balance_ranks.newest_balance
            and rfm.customer_status = 'active'
)

select * from measured
