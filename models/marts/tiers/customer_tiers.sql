with tiers as (
    select * from {{ ref('int_current_tiers') }}
),

as_of as (
    select * from {{ ref('int_as_of') }}
),

-- the review from which protection is counted
reviewed as (
    select
        tiers.*,
        as_of.as_of_date,
        {{ setting('tier_min_hold_periods') }}
        - tiers.reviews_held as reviews_protected,
        case
            when not tiers.is_open_period then tiers.period_end
            when tiers.change_type in ('enter', 'upgrade') then tiers.calendar_period_end
            else tiers.previous_period_end
        end as protected_from
    from tiers
    cross join as_of
)

select
    customer_id,
    tier_code,
    qualified_tier_code,
    previous_tier_code,
    change_type,
    reason_code,

    tier_rank,
    case
        when keep_score is not null and management_score is not null
            then cast(greatest(keep_score - management_score, 0) as decimal(18, 14))
    end as points_to_keep,
    case
        when has_next_tier and management_score is not null
            then cast(greatest(next_enter_score - management_score, 0) as decimal(18, 14))
    end as points_to_next,
    case
        when has_next_tier and customer_status <> 'prospect'
            then greatest(next_min_orders - frequency, 0)
    end as orders_to_next,
    {{ revenue_to_next() }} as revenue_to_next,

    is_open_period as is_provisional,

    tier_since,
    case
        when tier_rank > 0 and reviews_protected > 0
            then {{ add_periods('protected_from', 'reviews_protected') }}
    end as protected_until,
    case
        when is_open_period then calendar_period_end
        else {{ add_periods('period_end', '1') }}
    end as next_review_on,
    as_of_date
from reviewed
