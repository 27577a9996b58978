{# The scores of the newest measures, with what the seeds say of their cells. #}
with measures as (
    select * from {{ ref('int_current_measures') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

edges as (
    select * from {{ ref('int_current_edges') }}
),

edges_by_period as (
    {{ edges_by_period('edges', 'period_end') }}
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

customer_keys as (
    select customer_key, customer_id
    from {{ ref('int_customer_keys') }}
    where customer_id = resolved_customer_id
),

scored as (
    select
        measures.*,
        {{ rfm_scores('measures') }}
    from measures
    inner join as_of on measures.period_end = as_of.as_of_date
    left join edges_by_period on measures.period_end = edges_by_period.period_end
),

described as (
    select
        scored.customer_key,
        customer_keys.customer_id,
        {{ segment('scored.customer_status', 'cells.segment_code') }} as segment_code,
        {{ segment('scored.customer_status', 'cells.value_matrix_code') }} as value_matrix_code,
        case when scored.customer_status = 'active' then cells.value_class else 'none' end
            as value_class,
        cells.purchasing_power,
        cells.purchase_frequency_band,
        case when scored.customer_status = 'active' then cells.buyer_type else 'none' end
            as buyer_type,

        scored.recency_days,
        scored.frequency,
        scored.monetary,
        scored.r_score,
        scored.f_score,
        scored.m_score,

        scored.period_end
    from scored
    inner join customer_keys on scored.customer_key = customer_keys.customer_key
    left join cells
        on
            scored.r_score = cells.r_score
            and scored.f_score = cells.f_score
            and scored.m_score = cells.m_score
)

select * from described
