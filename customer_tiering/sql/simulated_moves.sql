-- both sides of each reviewed customer, and what decides that the second is another one
with both_sides as (
    select
        coalesce(published.customer_id, simulated.customer_id) as customer_id,
        coalesce(published.tier_code, 'none') as tier_code,
        coalesce(simulated.tier_code, 'none') as simulated_tier_code,
        published.segment_code,
        simulated.segment_code as simulated_segment_code,
        published.value_matrix_code,
        simulated.value_matrix_code as simulated_value_matrix_code,
        published.lifecycle_stage,
        simulated.lifecycle_stage as simulated_lifecycle_stage,

        coalesce(published.tier_rank, 0) as tier_rank,
        coalesce(simulated.tier_rank, 0) as simulated_tier_rank,
        published.management_score,
        simulated.management_score as simulated_management_score,
        coalesce(published.window_revenue, simulated.window_revenue) as window_revenue,

        -- what is unknown on both sides is alike
        coalesce(cast(published.management_score as varchar), '')
        <> coalesce(cast(simulated.management_score as varchar), '') as has_other_score,
        coalesce(published.qualified_tier_code, '')
        <> coalesce(simulated.qualified_tier_code, '') as has_other_rule,
        concat_ws('|', published.r_score, published.f_score, published.m_score)
        <> concat_ws('|', simulated.r_score, simulated.f_score, simulated.m_score)
            as has_other_cell,
        concat_ws('|', published.segment_code, published.value_matrix_code)
        <> concat_ws('|', simulated.segment_code, simulated.value_matrix_code)
            as has_other_segment,
        coalesce(published.lifecycle_stage, '')
        <> coalesce(simulated.lifecycle_stage, '') as has_other_stage
    from simulation.before as published
    full outer join simulation.after as simulated
        on published.customer_id = simulated.customer_id
)

select
    * exclude (has_other_rule, has_other_cell, has_other_segment, has_other_stage),
    case
        when simulated_tier_rank > tier_rank then 'up'
        when simulated_tier_rank < tier_rank then 'down'
        when has_other_segment or has_other_stage then 'same_tier'
    end as movement,
    case
        when simulated_tier_rank <> tier_rank and has_other_score then 'score'
        when simulated_tier_rank <> tier_rank and has_other_rule then 'tier_rules'
        when simulated_tier_rank <> tier_rank then 'earlier_reviews'
        when has_other_segment and has_other_cell then 'rfm_scores'
        when has_other_segment then 'segment_map'
        when has_other_stage then 'lifecycle'
    end as reason
from both_sides
