with as_of as (
    select * from {{ ref('int_as_of') }}
),

edges as (
    select * from {{ ref('int_rfm_score_edges') }}
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

current_balances as (
    select * from {{ ref('int_current_balances') }}
),

profile as (
    select * from {{ ref('score_weights') }} where profile = '{{ setting("score_profile") }}'
),

weights as (
    select
        max(case when input is null then weight else 0 end) as component_weight,
        max(case when input = 'balance' then weight else 0 end) as balance_weight
    from profile
    where component = 'value'
),

known_balances as (
    select count(newest_balance) as customers
    from current_balances
),

newest_edges as (
    select edges.*
    from edges
    inner join newest_period on edges.period_index = newest_period.period_index
),

warnings as (
    select
        'no_orders' as warning_code,
        'orders' as subject,
        0 as observed
    from as_of
    where as_of_date is null
    union all
    select
        'one_off_profile' as warning_code,
        metric as subject,
        distinct_edges as observed
    from newest_edges
    where
        metric = 'frequency'
        and distinct_edges = 1
        and '{{ setting("score_profile") }}' <> 'one_off'
    union all
    select
        'small_population' as warning_code,
        metric as subject,
        customers as observed
    from newest_edges
    where is_small_population
    union all
    select
        'balance_unknown' as warning_code,
        'account_balances' as subject,
        known_balances.customers as observed
    from known_balances
    cross join weights
    where
        known_balances.customers = 0
        and weights.component_weight * weights.balance_weight > 0
)

select * from warnings
