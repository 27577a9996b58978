with newest_closed as (
    select max(period_end) as period_end from {{ ref('review_periods') }} where not is_open_period
),

held as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code
    from {{ ref('customer_periods') }} as customer_periods
    inner join newest_closed on customer_periods.period_end = newest_closed.period_end
),

stretches as (
    select
        customer_id,
        tier_code
    from {{ ref('customer_tier_history') }}
    where is_current
)

select
    coalesce(held.customer_id, stretches.customer_id) as customer_id,
    held.tier_code as tier_code_of_period,
    stretches.tier_code as tier_code_of_history
from held
full outer join stretches on held.customer_id = stretches.customer_id
where
    held.customer_id is null
    or held.tier_code <> coalesce(stretches.tier_code, 'none')
