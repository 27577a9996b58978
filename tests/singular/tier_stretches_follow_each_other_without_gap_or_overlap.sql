{# Each stretch ends where the next begins, in another tier, and names it as the one before. #}
with stretches as (
    select
        customer_id,
        valid_from,
        valid_to,
        tier_code,
        previous_tier_code,
        lead(valid_from) over (partition by customer_id order by valid_from) as next_valid_from,
        lag(tier_code) over (partition by customer_id order by valid_from) as tier_code_before,
        row_number() over (partition by customer_id order by valid_from) as place
    from {{ ref('customer_tier_history') }}
)

select *
from stretches
where
    valid_to <= valid_from
    or coalesce(valid_to, date '9999-12-31') <> coalesce(next_valid_from, date '9999-12-31')
    or tier_code = coalesce(tier_code_before, 'none')
    or previous_tier_code <> coalesce(tier_code_before, 'none')
