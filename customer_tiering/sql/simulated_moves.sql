-- both sides of each reviewed customer, and what decides that the second is another one
with both_sides as (
    select
        coalesce(before.customer_id, after.customer_id) as customer_id,
        coalesce(before.tier_code, 'none') as tier_code,
        coalesce(after.tier_code, 'none') as simulated_tier_code,
        before.segment_code,
        after.segment_code as simulated_segment_code,
        before.value_matrix_code,
        after.value_matrix_code as simulated_value_matrix_code,
        before.lifecycle_stage,
        after.lifecycle_stage as simulated_lifecycle_stage,

        coalesce(before.tier_rank, 0) as tier_rank,
        coalesce(after.tier_rank, 0) as simulated_tier_rank,
        before.management_score,
        after.management_score as simulated_management_score,
        coalesce(before.window_revenue, after.window_revenue) as window_revenue,

        before.management_score is distinct from after.management_score as has_other_score,
        before.qualified_tier_code is distinct from after.qualified_tier_code as has_other_rule,
        (before.r_score, before.f_score, before.m_score)
        is distinct from (after.r_score, after.f_score, after.m_score) as has_other_cell,
        (before.segment_code, before.value_matrix_code)
        is distinct from (after.segment_code, after.value_matrix_code) as has_other_segment,
        before.lifecycle_stage is distinct from after.lifecycle_stage as has_other_stage
    from simulation.before as before
    full join simulation.after as after on before.customer_id = after.customer_id
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
