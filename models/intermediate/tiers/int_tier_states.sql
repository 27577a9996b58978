with recursive qualifications as {{ computed_once() }} (
    select * from {{ ref('int_tier_qualifications') }}
),

periods as (
    select
        period_index,
        is_open_period,
        is_last_of_year,
        extract(year from period_end) > extract(year from previous_period_end) as crosses_year,
        {{ month_day('period_end') }} as month_day,
        {{ month_day('previous_period_end') }} as previous_month_day,
        -- anniversaries of a tier reached on 29 February fall on the 28th
        case
            when {{ month_day('period_end') }} = 229 then 228
            else {{ month_day('period_end') }}
        end as since_month_day
    from {{ ref('int_review_periods') }}
),

{% if is_incremental() -%}
last_kept_period as (
    select max(period_index) as period_index from {{ ref('int_review_periods') }} where is_kept
),

{% endif -%}
states as (
    -- before the first review nobody has a tier
    select
        customer_key,
        0 as review_number,
        0 as period_index,
        cast(null as {{ string_type() }}) as change_type,
        0 as tier_rank_before,
        0 as tier_rank,
        0 as qualified_rank,
        0 as reviews_held,
        0 as reviews_in_grace,
        cast(null as decimal(18, 14)) as management_score_before,
        cast(null as decimal(18, 14)) as management_score,
        cast(null as decimal(18, 14)) as score_with_an_order,
        cast(null as integer) as previous_rank,
        cast(null as integer) as since_index,
        cast(null as integer) as since_month_day,
        cast(null as integer) as reference_index,
        false as has_orders,
        false as is_active,
        true as is_first_tier,
        false as is_newly_lapsed,
        false as is_below_keep,
        false as is_one_order_from_next
    from qualifications
    where review_number = 1
    {%- if is_incremental() %}
    union all
    -- customers reviewed before continue from their last kept review
    select
        kept_states.customer_key,
        kept_states.review_number,
        kept_states.period_index,
        kept_states.change_type,
        kept_states.tier_rank_before,
        kept_states.tier_rank,
        kept_states.qualified_rank,
        kept_states.reviews_held,
        kept_states.reviews_in_grace,
        kept_states.management_score_before,
        kept_states.management_score,
        kept_states.score_with_an_order,
        kept_states.previous_rank,
        kept_states.since_index,
        kept_states.since_month_day,
        kept_states.reference_index,
        kept_states.has_orders,
        kept_states.is_active,
        kept_states.is_first_tier,
        kept_states.is_newly_lapsed,
        kept_states.is_below_keep,
        kept_states.is_one_order_from_next
    from {{ this }} as kept_states
    inner join last_kept_period on kept_states.period_index = last_kept_period.period_index
    {%- endif %}
    union all
    select
        customer_key,
        review_number,
        period_index,
        change_type,
        tier_rank as tier_rank_before,
        tier_rank_after as tier_rank,
        qualified_rank,
        case
            when change_type is null or change_type in ('enter', 'upgrade', 'leave') then 0
            when is_open_period then reviews_held
            when change_type = 'downgrade'
                then {{ setting('tier_min_hold_periods') }}
            else reviews_held + 1
        end as reviews_held,
        case
            when change_type = 'grace' then reviews_in_grace + 1
            when change_type = 'protected' then reviews_in_grace
            when change_type = 'keep' and (is_open_period or kept_rank < tier_rank)
                then reviews_in_grace
            else 0
        end as reviews_in_grace,
        management_score_before,
        management_score,
        score_with_an_order,
        case when tier_rank_after <> tier_rank then tier_rank else previous_rank end
            as previous_rank,
        case
            when tier_rank_after = 0 then null
            when tier_rank_after <> tier_rank then period_index
            else since_index
        end as since_index,
        case
            when tier_rank_after = 0 then null
            when tier_rank_after <> tier_rank then review_month_day
            else since_month_day
        end as since_month_day,
        reference_index,
        has_orders,
        is_active,
        is_first_tier,
        is_newly_lapsed,
        kept_rank < tier_rank_after as is_below_keep,
        coalesce(rank_with_an_order > tier_rank_after, false) as is_one_order_from_next
    from (
        select
            decided.*,
            {{ tier_rank_after('change_type', 'decided', 'decided') }}
                as tier_rank_after
        from (
            select
                review.customer_key,
                review.review_number,
                review.period_index,
                review.qualified_rank,
                review.kept_rank,
                review.rank_with_an_order,
                before.management_score as management_score_before,
                review.management_score,
                review.score_with_an_order,
                review.has_orders,
                review.is_active,
                period.is_open_period,
                period.since_month_day as review_month_day,
                before.tier_rank,
                before.reviews_held,
                before.reviews_in_grace,
                before.previous_rank,
                before.since_index,
                before.since_month_day,
                -- a tier kept only because no review of the year may take it is no reference
                case
                    when
                        before.change_type in ('enter', 'keep', 'upgrade')
                        and not before.is_below_keep
                        then before.period_index
                    else before.reference_index
                end as reference_index,
                {{ tier_change_type('before', 'review', 'period') }}
                    as change_type,
                before.is_first_tier and before.tier_rank = 0 as is_first_tier,
                before.is_active and review.has_orders and not review.is_active as is_newly_lapsed
            from states as before
            inner join qualifications as review
                on
                    before.customer_key = review.customer_key
                    and before.review_number + 1 = review.review_number
            inner join periods as period on review.period_index = period.period_index
        ) as decided
    ) as ranked
),

-- a recursion hands its rows out one by one: collected first, they are written by all threads
collected as {{ computed_once() }} (
    select * from states
)

select collected.*
from collected
inner join {{ ref('int_periods_to_compute') }} as periods_to_compute
    on collected.period_index = periods_to_compute.period_index
