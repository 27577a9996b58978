{# The two closed periods that are compared: the vars drift_from and drift_to, dates on which one
   ends, or without them the newest and the one that many reviews, 1 or more, before it. #}
{%- set reviews_apart = 12 -%}
{%- set drift_from = var('drift_from', '') | string -%}
{%- set drift_to = var('drift_to', '') | string -%}
{%- set first_end = 'min(period_end)' if not drift_from
    else "date '" ~ customer_tiering.iso_date('drift_from', drift_from) ~ "'" -%}
{%- set last_possible_end = 'period_end' if not drift_to
    else "date '" ~ customer_tiering.iso_date('drift_to', drift_to) ~ "'" -%}

with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

review_periods as (
    select * from {{ ref('review_periods') }}
),

newest_closed as (
    select period_end
    from review_periods
    where not is_open_period and period_end <= {{ last_possible_end }}
    order by 1 desc
    limit {{ reviews_apart + 1 }}
),

compared as (
    select
        {{ first_end }} as from_period_end,
        max(period_end) as to_period_end
    from newest_closed
),

tiers_before as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code,
        customer_periods.tier_rank
    from customer_periods
    inner join compared on customer_periods.period_end = compared.from_period_end
),

tiers_after as (
    select
        customer_periods.customer_id,
        customer_periods.tier_code,
        customer_periods.tier_rank
    from customer_periods
    inner join compared on customer_periods.period_end = compared.to_period_end
),

changes as (
    select
        customer_periods.customer_id,
        customer_periods.reason_code,
        customer_periods.change_type in ('enter', 'upgrade') as is_up,
        row_number() over (
            partition by
                customer_periods.customer_id,
                customer_periods.change_type in ('enter', 'upgrade')
            order by customer_periods.period_end desc
        ) as place
    from customer_periods
    inner join compared
        on
            customer_periods.period_end > compared.from_period_end
            and customer_periods.period_end <= compared.to_period_end
    where customer_periods.change_type in ('enter', 'upgrade', 'downgrade', 'leave')
),

-- a customer may move more than once in between; the last move that went the way of the whole
-- counts
last_changes as (
    select * from changes where place = 1
),

moved as (
    select
        coalesce(tiers_before.tier_code, 'none') as from_tier_code,
        tiers_after.tier_code as to_tier_code,
        last_changes.reason_code
    from tiers_after
    left join tiers_before on tiers_after.customer_id = tiers_before.customer_id
    inner join last_changes
        on
            tiers_after.customer_id = last_changes.customer_id
            and last_changes.is_up = (tiers_after.tier_rank > coalesce(tiers_before.tier_rank, 0))
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
        case totalled.reason_code
            when 'relative_position' then 'others'
            when 'rule_change' then 'rules'
            else 'own'
        end as cause,

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
