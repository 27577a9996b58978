{# What the members of a group of companies are together at the newest period. Under tier_level
   group the measures of the root are those of the group already. #}
with groups as (
    select * from {{ ref('int_customer_groups') }}
),

customers as (
    select customer_key, customer_id from {{ ref('int_customers') }}
),

newest_changes as (
    select * from {{ ref('int_measure_changes') }} where next_change_index is null
),

newest_period as (
    select * from {{ ref('int_newest_period') }}
),

added_up as (
    select
        groups.root_customer_id,
        cast(coalesce(sum(newest_changes.frequency), 0) as integer) as frequency,
        cast(coalesce(sum(newest_changes.monetary), 0) as decimal(18, 2)) as monetary,
        {{ cents('greatest(coalesce(sum(newest_changes.revenue_first_half), 0), 0)') }}
            as first_half_cents,
        {{ cents('greatest(coalesce(sum(newest_changes.revenue_second_half), 0), 0)') }}
            as second_half_cents,
        min(newest_changes.first_order_on) as first_order_on,
        max(newest_changes.last_order_on) as last_order_on
    from groups
    inner join customers on groups.customer_id = customers.customer_id
    left join newest_changes on customers.customer_key = newest_changes.customer_key
    group by groups.root_customer_id
),

measured as (
    select
        added_up.*,
        newest_period.period_index,
        {{ customer_status('added_up.last_order_on', 'added_up.frequency') }} as customer_status,
        {{ days_between('added_up.last_order_on', 'newest_period.period_end') }} as recency_days,
        {{ days_between('added_up.first_order_on', 'added_up.last_order_on') }} as tenure_days,
        added_up.frequency > 0
        and added_up.first_order_on <= newest_period.period_end - {{ year_days() }}
        and added_up.first_half_cents + added_up.second_half_cents > 0 as has_trend
    from added_up
    cross join newest_period
    where newest_period.period_index is not null
)

select * from measured
