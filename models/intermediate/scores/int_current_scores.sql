{# The scores of the newest period, with the segments and bands of the RFM scores. #}
with scores as (
    select * from {{ ref('int_customer_scores') }}
),

newest_changes as (
    select * from {{ ref('int_measure_changes') }} where next_change_index is null
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

rfm as (
    select * from {{ ref('int_current_rfm') }}
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
        rfm.customer_id,
        rfm.segment_code,
        rfm.value_matrix_code,
        rfm.value_class,
        rfm.purchasing_power,
        rfm.purchase_frequency_band,
        rfm.buyer_type,
        stars.star_rating
    from scores
    inner join newest_period on scores.period_index = newest_period.period_index
    inner join newest_changes on scores.customer_key = newest_changes.customer_key
    inner join rfm on scores.customer_key = rfm.customer_key
    left join stars
        on
            scores.management_score >= stars.min_score
            and (stars.next_min_score is null or scores.management_score < stars.next_min_score)
)

select * from current_scores
