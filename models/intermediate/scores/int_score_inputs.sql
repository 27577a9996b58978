with rfm as (
    select * from {{ ref('int_customer_rfm') }}
),

revenue_ranks as (
    select * from {{ ref('int_revenue_ranks') }}
),

category_counts as (
    select * from {{ ref('int_customer_categories') }}
),

periods as (
    select * from {{ ref('int_review_periods') }}
),

-- before the first order with a category the source is not there, which is not the same as no
-- category
category_source as (
    select min(order_date) as known_from
    from {{ ref('int_order_items') }}
    where is_entered and customer_key is not null and category is not null
),

measured as (
    select
        rfm.*,
        revenue_ranks.contribution,
        coalesce(category_counts.categories, 0) as category_count,
        {{ customer_tiering.cents('greatest(rfm.revenue_first_half, 0)') }} as first_half_cents,
        {{ customer_tiering.cents('greatest(rfm.revenue_second_half, 0)') }} as second_half_cents,
        rfm.last_order_on - rfm.first_order_on as tenure_days,

        rfm.customer_status <> 'prospect' as is_valued,
        rfm.customer_status <> 'prospect'
        and coalesce(category_source.known_from <= periods.period_end, false) as has_categories,
        rfm.customer_status = 'active'
        and rfm.first_order_on <= periods.period_end - 365
        and (rfm.revenue_first_half > 0 or rfm.revenue_second_half > 0) as has_trend
    from rfm
    inner join periods on rfm.period_index = periods.period_index
    cross join category_source
    left join revenue_ranks
        on
            rfm.period_index = revenue_ranks.period_index
            and rfm.monetary = revenue_ranks.monetary
            and rfm.customer_status = 'active'
    left join category_counts
        on
            rfm.customer_key = category_counts.customer_key
            and rfm.period_index = category_counts.period_index
),

normalised as (
    select
        customer_key,
        period_index,
        review_number,
        {% for component, input, is_known in customer_tiering.score_inputs() -%}
        {{ '+ ' if not loop.first }}case when {{ is_known }} then {{ 2 ** loop.index0 }} else 0 end
        {% endfor %} as known_inputs,

        recency_days,
        frequency,
        monetary,
        period_revenue,
        tenure_days,
        case when has_categories then category_count end as categories,
        r_score,
        f_score,
        m_score,

        -- the lapsed are known and count zero
        {%- for metric, score in [
            ('recency', 'r_score'), ('frequency', 'f_score'), ('monetary', 'm_score')
        ] %}
        case when is_valued then {{ customer_tiering.normalised('2500 * (' ~ score ~ ' - 1)') }} end
            as {{ metric }}_normalised,
        {%- endfor %}
        case when is_valued then coalesce(contribution, cast(0 as decimal(5, 2))) end
            as contribution_normalised,
        case
            when has_trend
                then {{ customer_tiering.normalised(customer_tiering.rounded_ratio(
                    '10000 * (second_half_cents * (frequency + 1) + first_half_cents)',
                    '(first_half_cents + second_half_cents) * (frequency + 2)',
                )) }}
        end as revenue_trend_normalised,
        case
            when customer_status = 'active'
                then {{ customer_tiering.normalised(
                    customer_tiering.rounded_ratio('10000 * (frequency - 1)', 'frequency')
                ) }}
            when is_valued then cast(0 as decimal(5, 2))
        end as repeat_rate_normalised,
        case
            when is_valued
                then {{ customer_tiering.normalised(
                    customer_tiering.rounded_ratio('10000 * least(tenure_days, 1095)', '1095')
                ) }}
        end as tenure_normalised,
        case
            when has_categories
                then {{ customer_tiering.normalised('2000 * least(category_count, 5)') }}
        end as categories_normalised
    from measured
)

select * from normalised
