{# The scores of the newest period, with the segments and bands of their cells. #}
with scores as (
    select * from {{ ref('int_customer_scores') }}
),

newest_changes as (
    select * from {{ ref('int_measure_changes') }} where next_change_index is null
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

cells as (
    select * from {{ ref('int_rfm_cells') }}
),

stars as (
    select
        star_rating,
        min_score,
        lead(min_score) over (order by min_score) as next_min_score
    from {{ ref('star_ratings') }}
),

current_scores as (
    select
        scores.*,
        newest_changes.revenue_first_half,
        newest_changes.revenue_second_half,
        newest_changes.first_order_on,
        newest_changes.last_order_on,
        customers.customer_id,
        {{ segment('scores.customer_status', 'cells.segment_code') }}
            as segment_code,
        {{ segment('scores.customer_status', 'cells.value_matrix_code') }}
            as value_matrix_code,
        case when scores.customer_status = 'active' then cells.value_class else 'none' end
            as value_class,
        cells.purchasing_power,
        cells.purchase_frequency_band,
        case when scores.customer_status = 'active' then cells.buyer_type else 'none' end
            as buyer_type,
        stars.star_rating
    from scores
    inner join newest_period on scores.period_index = newest_period.period_index
    inner join newest_changes on scores.customer_key = newest_changes.customer_key
    inner join customers on scores.customer_key = customers.customer_key
    left join cells
        on
            scores.r_score = cells.r_score
            and scores.f_score = cells.f_score
            and scores.m_score = cells.m_score
    left join stars
        on
            scores.management_score >= stars.min_score
            and (stars.next_min_score is null or scores.management_score < stars.next_min_score)
)

select * from current_scores
