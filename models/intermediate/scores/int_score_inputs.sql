with rfm as (
    select * from {{ ref('int_customer_rfm') }}
),

category_counts as (
    select * from {{ ref('int_customer_categories') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

-- before the first order with a category the source is not there, which is not the same as no category
category_source as (
    select min(order_date) as known_from
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null and category is not null
),

ranked as (
    select
        rfm.*,
        count(*) over (partition by period_index, customer_status) as peers,
        rank() over (partition by period_index, customer_status order by monetary) as revenue_rank
    from rfm
),

measured as (
    select
        ranked.*,
        case
            when ranked.customer_status <> 'prospect' and category_source.known_from <= periods.period_end
                then coalesce(category_counts.categories, 0)
        end as categories,
        {{ customer_tiering.contribution_guess('ranked.revenue_rank', 'ranked.peers') }} as contribution_guess,
        {{ customer_tiering.cents('greatest(ranked.revenue_first_half, 0)') }} as first_half_cents,
        {{ customer_tiering.cents('greatest(ranked.revenue_second_half, 0)') }} as second_half_cents,
        ranked.customer_status = 'active' and ranked.first_order_on <= periods.period_end - 365 as has_year
    from ranked
    inner join periods on ranked.period_index = periods.period_index
    cross join category_source
    left join category_counts
        on
            ranked.customer_key = category_counts.customer_key
            and ranked.period_index = category_counts.period_index
),

normalised as (
    select
        customer_key,
        period_index,
        review_number,
        customer_status,

        recency_days,
        frequency,
        monetary,
        period_revenue,
        revenue_first_half,
        revenue_second_half,
        last_order_on - first_order_on as tenure_days,
        categories,
        r_score,
        f_score,
        m_score,

        first_order_on,
        last_order_on,

        {%- for metric, score in [('recency', 'r_score'), ('frequency', 'f_score'), ('monetary', 'm_score')] %}
        case customer_status
            when 'active' then {{ customer_tiering.normalised('2500 * (' ~ score ~ ' - 1)') }}
            when 'lapsed' then 0
        end as {{ metric }}_normalised,
        {%- endfor %}
        case
            when customer_status = 'active' and peers = 1 then 0
            when customer_status = 'active' then {{ customer_tiering.normalised(
                customer_tiering.contribution_hundredths('contribution_guess', 'revenue_rank', 'peers')
            ) }}
            when customer_status = 'lapsed' then 0
        end as contribution_normalised,
        case
            when has_year and first_half_cents + second_half_cents > 0
                then {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
                    '10000 * (second_half_cents * (frequency + 1) + first_half_cents)',
                    '(first_half_cents + second_half_cents) * (frequency + 2)',
                )) }}
        end as revenue_trend_normalised,
        case customer_status
            when 'active' then {{ customer_tiering.normalised(
                customer_tiering.rounded_ratio('10000 * (frequency - 1)', 'frequency')
            ) }}
            when 'lapsed' then 0
        end as repeat_rate_normalised,
        case
            when customer_status <> 'prospect'
                then {{ customer_tiering.normalised(
                    customer_tiering.rounded_ratio('10000 * least(last_order_on - first_order_on, 1095)', '1095')
                ) }}
        end as tenure_normalised,
        case
            when categories is not null then {{ customer_tiering.normalised('2000 * least(categories, 5)') }}
        end as categories_normalised
    from measured
),

flagged as (
    select
        *,
        {%- for component, input in customer_tiering.score_inputs() %}
        {{ '+ ' if not loop.first }}case when {{ input }}_normalised is null then 0 else {{ 2 ** loop.index0 }} end
        {%- endfor %} as known_inputs
    from normalised
)

select * from flagged
