with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

review_periods as (
    select * from {{ ref('review_periods') }}
),

tier_ladder as (
    select * from {{ ref('tier_ladder') }}
),

newest_closed as (
    select
        max(period_end) as period_end,
        max(rules_valid_from) as rules_valid_from
    from review_periods
    where not is_open_period
),

reviewed as (
    select
        customer_periods.customer_id,
        customer_periods.management_score,
        customer_periods.frequency,
        customer_periods.monetary
    from customer_periods
    inner join newest_closed on customer_periods.period_end = newest_closed.period_end
),

shifts as (
    {%- for score_shift in range(-5, 6) %}
    select {{ score_shift }} as score_shift
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ladder as (
    select
        tier_ladder.tier_code,
        tier_ladder.tier_rank,
        tier_ladder.enter_score,
        tier_ladder.enter_min_orders,
        tier_ladder.enter_min_revenue
    from tier_ladder
    inner join newest_closed
        on tier_ladder.version_valid_from = newest_closed.rules_valid_from
),

qualified as (
    select
        reviewed.customer_id,
        shifts.score_shift,
        coalesce(max(ladder.tier_rank), 0) as tier_rank
    from reviewed
    cross join shifts
    left join ladder
        on
            reviewed.management_score >= ladder.enter_score + shifts.score_shift
            and reviewed.frequency >= coalesce(ladder.enter_min_orders, 0)
            and (
                ladder.enter_min_revenue is null
                or reviewed.monetary >= ladder.enter_min_revenue
            )
    group by 1, 2
),

counted as (
    select
        score_shift,
        tier_rank,
        count(*) as customers
    from qualified
    group by 1, 2
),

tier_names as (
    select
        tier_code,
        tier_rank
    from ladder
    union all
    select
        'none' as tier_code,
        0 as tier_rank
),

-- every tier under every shift, so that an empty one shows as empty
what_if as (
    select
        tier_names.tier_code,

        shifts.score_shift,
        tier_names.tier_rank,
        coalesce(counted.customers, 0) as customers,
        coalesce(counted.customers, 0) - coalesce(counted_now.customers, 0) as customers_gained,

        newest_closed.period_end
    from shifts
    cross join tier_names
    cross join newest_closed
    left join counted
        on
            shifts.score_shift = counted.score_shift
            and tier_names.tier_rank = counted.tier_rank
    left join counted as counted_now
        on
            tier_names.tier_rank = counted_now.tier_rank
            and counted_now.score_shift = 0
)

select * from what_if
order by 2, 3
