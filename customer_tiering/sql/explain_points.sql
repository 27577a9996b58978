select
    period_end,
    component,
    input,
    input_value_before,
    input_value_after,
    points_before,
    points_after,
    points_change,
    is_own_behaviour,
    is_reason
from marts.tier_change_details
where customer_id = $customer_id and period_end = any($reviews)
order by period_end, abs(points_change) desc, input
