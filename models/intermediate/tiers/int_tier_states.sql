{# A state before any review. The state of a customer's last kept review has the same columns. #}
{%- set first_state = {
    'review_number': '0',
    'period_index': '0',
    'change_type': 'cast(null as ' ~ string_type() ~ ')',
    'tier_rank_before': '0',
    'tier_rank': '0',
    'qualified_rank': '0',
    'reviews_held': '0',
    'reviews_in_grace': '0',
    'management_score_before': 'cast(null as decimal(18, 14))',
    'management_score': 'cast(null as decimal(18, 14))',
    'score_with_an_order': 'cast(null as decimal(18, 14))',
    'previous_rank': 'cast(null as integer)',
    'since_index': 'cast(null as integer)',
    'since_month_day': 'cast(null as integer)',
    'reference_index': 'cast(null as integer)',
    'has_orders': 'false',
    'is_active': 'false',
    'is_first_tier': 'true',
    'is_active_before': 'false',
    'is_below_keep': 'false',
} %}
with recursive qualifications as {{ computed_once() }} (
    select * from {{ ref('int_tier_qualifications') }}
),

periods as (
    select
        period_index,
        is_open_period,
        is_last_of_year,
        {{ days_of_year('periods') }},
        -- anniversaries of a tier reached on 29 February fall on the 28th
        {{ month_day('period_end') }}
        - case when {{ month_day('period_end') }} = 229 then 1 else 0 end as since_month_day
    from {{ ref('int_review_periods') }} as periods
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
        {%- for column, value in first_state.items() %}
        {{ value }} as {{ column }},
        {%- endfor %}
        false as is_one_order_from_next
    from qualifications
    where review_number = 1
    {%- if is_incremental() %}
    union all
    -- customers reviewed before continue from their last kept review
    select
        kept_states.customer_key,
        {%- for column in first_state %}
        kept_states.{{ column }},
        {%- endfor %}
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
        {{ reviews_held_after('ranked') }} as reviews_held,
        {{ reviews_in_grace_after('ranked') }} as reviews_in_grace,
        cast(management_score_before as decimal(18, 14)) as management_score_before,
        cast(management_score as decimal(18, 14)) as management_score,
        cast(score_with_an_order as decimal(18, 14)) as score_with_an_order,
        case when tier_rank_after <> tier_rank then tier_rank else previous_rank end
            as previous_rank,
        {{ since_after('ranked', 'period_index', 'since_index') }} as since_index,
        {{ since_after('ranked', 'review_month_day', 'since_month_day') }} as since_month_day,
        reference_index,
        has_orders,
        is_active,
        is_first_tier,
        is_active_before,
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
                before.is_active as is_active_before
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
