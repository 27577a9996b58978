{# Tiers that are about to change: a downgrade ahead, or one more order and the next tier is
   reached. #}
with states as (
    select * from {{ ref('int_tier_states') }}
),

periods as (
    select * from {{ ref('int_periods_to_compute') }}
),

tier_rules as (
    select * from {{ ref('tiers') }}
),

reviewed as (
    select
        states.*,
        periods.rules_valid_from,
        periods.period_end,
        case
            when periods.is_open_period then periods.calendar_period_end
            else {{ add_periods('periods.period_end', '1') }}
        end as next_review_on
    from states
    inner join periods on states.period_index = periods.period_index
    where states.is_below_keep or states.is_one_order_from_next
),

falling as (
    select
        reviewed.customer_key,
        reviewed.period_index,
        'downgrade_ahead' as alert_code,
        {{ figure(days_between('reviewed.period_end', first_downgrade_on('reviewed'))) }}
            as measure,
        {{ points_missing('tier_rules.keep_score', 'reviewed.management_score') }}
            as detail,
        {{ figure('reviewed.management_score') }} as value_now,
        {{ figure('reviewed.management_score_before') }} as value_before
    from reviewed
    left join tier_rules
        on
            reviewed.tier_rank = tier_rules.tier_rank
            and reviewed.rules_valid_from = tier_rules.version_valid_from
    where reviewed.is_below_keep
),

rising as (
    select
        reviewed.customer_key,
        reviewed.period_index,
        'one_order_to_next_tier' as alert_code,
        {{ figure(
            'floor(100 * (reviewed.score_with_an_order - next_tier.enter_score)) * 0.01'
        ) }} as measure,
        {{ points_missing('next_tier.enter_score', 'reviewed.management_score') }}
            as detail,
        {{ figure('reviewed.management_score') }} as value_now,
        {{ figure('reviewed.management_score_before') }} as value_before
    from reviewed
    inner join tier_rules as next_tier
        on
            reviewed.tier_rank + 1 = next_tier.tier_rank
            and reviewed.rules_valid_from = next_tier.version_valid_from
    where reviewed.is_one_order_from_next
),

candidates as (
    select * from falling
    union all
    select * from rising
)

select * from candidates
