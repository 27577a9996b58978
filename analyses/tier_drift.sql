{# The two closed periods that are compared: the vars drift_from and drift_to, dates on which one
   ends, or without them the newest and the one that many reviews, 1 or more, before it. #}
{%- set reviews_apart = 12 -%}
{%- set date = {
    'pattern': '[0-9]{4}-[0-9]{2}-[0-9]{2}', 'words': [''], 'allowed': 'an ISO date such as 2025-12-31',
} -%}
{%- set drift_from = checked_value('drift_from', var('drift_from', ''), date) -%}
{%- set drift_to = checked_value('drift_to', var('drift_to', ''), date) -%}
{%- set first_end = 'min(period_end)' if not drift_from
    else "date '" ~ drift_from ~ "'" -%}
{%- set last_possible_end = 'period_end' if not drift_to
    else "date '" ~ drift_to ~ "'" -%}

with customer_periods as (
    select * from {{ ref('customer_periods') }}
),

review_periods as (
    select * from {{ ref('review_periods') }}
),

rfm_score_edges as (
    select * from {{ ref('rfm_score_edges') }}
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

moves as (
    {{ tier_movements(
        'customer_periods',
        'rfm_score_edges',
        '(select from_period_end from compared)',
        '(select to_period_end from compared)'
    ) | indent(4) }}
),

counted as (
    select
        from_tier_code,
        to_tier_code,
        reason_code,
        cause,
        count(*) as customers
    from moves
    where from_rank <> to_rank
    group by 1, 2, 3, 4
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
        totalled.cause,

        totalled.customers,
        {{ share('totalled.customers', 'totalled.customers_of_move') }}
            as share_of_move,

        compared.from_period_end,
        compared.to_period_end
    from totalled
    cross join compared
)

select * from drift
order by 1, 2, 4 desc, 3
