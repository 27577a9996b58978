with events as (
    select * from {{ ref('int_measure_events') }}
),

rhythms as (
    select * from {{ ref('int_purchase_rhythms') }}
),

changes as (
    select
        customer_key,
        period_index,
        cast(sum(orders_delta) as integer) as orders_delta,
        cast(sum(revenue_delta) as decimal(18, 2)) as revenue_delta,
        cast(sum(first_half_delta) as decimal(18, 2)) as first_half_delta,
        cast(sum(second_half_delta) as decimal(18, 2)) as second_half_delta,
        cast(sum(period_orders) as integer) as period_orders,
        cast(sum(period_revenue) as decimal(18, 2)) as period_revenue,
        min(lasting_order_date) as first_lasting_date,
        max(lasting_order_date) as last_lasting_date,
        min(passing_order_date) as first_passing_date,
        max(passing_order_date) as last_passing_date
    from events
    group by customer_key, period_index
),

running as (
    select
        customer_key,
        period_index,
        min(period_index) over customer_so_far as first_index,
        lead(period_index) over customer_so_far as next_change_index,

        cast(sum(orders_delta) over customer_so_far as integer) as frequency,
        cast(sum(revenue_delta) over customer_so_far as decimal(18, 2)) as monetary,
        cast(sum(first_half_delta) over customer_so_far as decimal(18, 2)) as revenue_first_half,
        cast(sum(second_half_delta) over customer_so_far as decimal(18, 2)) as revenue_second_half,
        period_orders,
        period_revenue,

        least(min(first_lasting_date) over customer_so_far, first_passing_date) as first_order_on,
        greatest(max(last_lasting_date) over customer_so_far, last_passing_date) as last_order_on
    from changes
    window customer_so_far as (partition by customer_key order by period_index)
),

-- a rhythm changes with the ledger only, and so with the measures
with_rhythm as (
    select
        running.*,
        rhythms.order_days,
        rhythms.last_gap_days,
        rhythms.median_gap_days
    from running
    left join rhythms
        on
            running.customer_key = rhythms.customer_key
            and running.period_index >= rhythms.period_index
            and (
                rhythms.next_change_index is null
                or running.period_index < rhythms.next_change_index
            )
)

select * from with_rhythm
