{# Reviews, 1 or more, between the two period ends that are compared; fewer when history is
   shorter. #}
{%- set reviews_apart = 12 -%}

with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

review_periods as (
    select * from {{ ref('review_periods') }}
),

newest_closed as (
    select period_end
    from review_periods
    where not is_open_period
    order by 1 desc
    limit {{ reviews_apart + 1 }}
),

compared as (
    select
        min(period_end) as from_period_end,
        max(period_end) as to_period_end
    from newest_closed
),

tiers_before as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code
    from customer_periods
    inner join compared on customer_periods.period_end = compared.from_period_end
),

tiers_after as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code
    from customer_periods
    inner join compared on customer_periods.period_end = compared.to_period_end
),

changes as (
    select
        customer_periods.customer_id,
        customer_periods.reason_code,
        row_number() over (
            partition by customer_periods.customer_id order by customer_periods.period_end desc
        ) as place
    from customer_periods
    inner join compared
        on
            customer_periods.period_end > compared.from_period_end
            and customer_periods.period_end <= compared.to_period_end
    where customer_periods.change_type in ('enter', 'upgrade', 'downgrade', 'leave')
),

-- a customer may move more than once in between; the last move is the one that led to where they
-- are
last_changes as (
    select * from changes where place = 1
),

moved as (
    select
        coalesce(tiers_before.tier_code, 'none') as from_tier_code,
        coalesce(tiers_after.tier_code, 'none') as to_tier_code,
        last_changes.reason_code
    from tiers_after
    inner join last_changes on tiers_after.customer_id = last_changes.customer_id
    left join tiers_before on tiers_after.customer_id = tiers_before.customer_id
),

counted as (
    select
        from_tier_code,
        to_tier_code,
        reason_code,
        count(*) as customers
    from moved
    where from_tier_code <> to_tier_code
    group by 1, 2, 3
),

totalled as (
    select
        *,
        sum(customers) over (partition by from_tier_code, to_tier_code) as customers_of_move
    from counted
),

drift as (
    select
        totalled.from_tier_code,
        totalled.to_tier_code,
        totalled.reason_code,

        totalled.customers,
        {{ customer_tiering.share('totalled.customers', 'totalled.customers_of_move') }}
            as share_of_move,

        compared.from_period_end,
        compared.to_period_end
    from totalled
    cross join compared
)

select * from drift
order by 1, 2, 4 desc, 3
