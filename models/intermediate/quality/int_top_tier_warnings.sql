with current_tiers as (
    select * from {{ ref('int_current_tiers') }}
),

tier_rules as (
    select
        *,
        max(tier_rank) over (partition by version_valid_from) as top_rank
    from {{ ref('tiers') }}
),

judged_for_the_top as (
    select
        tier_rules.tier_code,
        current_tiers.tier_rank > 0 as has_tier,
        current_tiers.tier_rank = tier_rules.tier_rank as has_top_tier,
        current_tiers.management_score >= tier_rules.enter_score as has_score,
        current_tiers.frequency >= coalesce(tier_rules.enter_min_orders, 0) as has_orders,
        tier_rules.enter_min_revenue is null
        or current_tiers.monetary >= tier_rules.enter_min_revenue as has_revenue
    from current_tiers
    inner join tier_rules
        on
            current_tiers.rules_valid_from = tier_rules.version_valid_from
            and tier_rules.tier_rank = tier_rules.top_rank
),

-- a rule alone keeps a customer out if all other rules are met
kept_out as (
    select
        *,
        not has_score and has_orders and has_revenue as is_out_by_score,
        has_score and not has_orders and has_revenue as is_out_by_orders,
        has_score and has_orders and not has_revenue as is_out_by_revenue
    from judged_for_the_top
),

counted as (
    select
        tier_code,
        count(case when has_tier then 1 end) as holders_of_any,
        count(case when has_top_tier then 1 end) as holders,
        count(case when is_out_by_score and not has_top_tier then 1 end) as out_by_score,
        count(case when is_out_by_orders and not has_top_tier then 1 end) as out_by_orders,
        count(case when is_out_by_revenue and not has_top_tier then 1 end) as out_by_revenue
    from kept_out
    group by tier_code
),

-- of few customers a share says nothing
shares as (
    select
        *,
        100 * holders
        < {{ setting('top_tier_percent_from') }} * holders_of_any as is_nearly_empty,
        100 * holders
        > {{ setting('top_tier_percent_to') }} * holders_of_any as is_crowded
    from counted
    where holders_of_any >= {{ setting('top_tier_min_holders') }}
),

warnings as (
    select
        'top_tier_share' as warning_code,
        tier_code as subject,
        case
            when not is_nearly_empty or greatest(out_by_score, out_by_orders, out_by_revenue) = 0
                then null
            when out_by_score >= greatest(out_by_orders, out_by_revenue) then 'enter_score'
            when out_by_orders >= out_by_revenue then 'enter_min_orders'
            else 'enter_min_revenue'
        end as binding_rule,
        holders as observed
    from shares
    where is_nearly_empty or is_crowded
)

select * from warnings
