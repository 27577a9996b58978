with assignments as (
    select * from {{ ref('int_holdout_assignments') }}
)

select
    campaign_id,
    customer_id,
    contact_group,
    tier_code,

    is_preliminary,

    reviewed_on,
    assigned_on
from assignments
where contact_group <> 'left_out'
