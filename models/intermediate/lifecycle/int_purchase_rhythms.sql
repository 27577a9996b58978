{# How often customers have come back, each time that it changes. An order day that is undone later
   divides the customer's history into epochs, within each of which days are only added: so that what
   was known then stays known, and running figures do. #}
with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

undone_days as (
    select * from {{ ref('int_undone_order_days') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

order_days as (
    select
        ledger.customer_key,
        ledger.order_date,
        undone_days.undone_on
    from ledger
    inner join days on ledger.order_date = days.date_day
    left join undone_days
        on
            ledger.customer_key = undone_days.customer_key
            and ledger.order_date = undone_days.order_date
    where
        ledger.known_date = ledger.order_date
        and (undone_days.undone_on is null or undone_days.undone_on > ledger.order_date)
),

starts as (
    select distinct
        customer_key,
        cast('1000-01-01' as date) as epoch_from
    from order_days
    union all
    select distinct
        customer_key,
        undone_on as epoch_from
    from order_days
    where undone_on is not null
),

epochs as (
    select
        customer_key,
        epoch_from,
        lead(epoch_from) over (partition by customer_key order by epoch_from) as epoch_to
    from starts
),

standing as (
    select
        epochs.customer_key,
        epochs.epoch_from,
        order_days.order_date
    from epochs
    inner join order_days
        on
            epochs.customer_key = order_days.customer_key
            and (order_days.undone_on is null or epochs.epoch_from < order_days.undone_on)
            and (epochs.epoch_to is null or epochs.epoch_to > order_days.order_date)
),

gaps as (
    select
        customer_key,
        row_number() over days_so_far as order_days,
        order_date - lag(order_date) over days_so_far as gap_days,
        epoch_from,
        order_date
    from standing
    window days_so_far as (partition by customer_key, epoch_from order by order_date)
),

running as (
    select
        customer_key,
        cast(order_days as integer) as order_days,
        cast(gap_days as integer) as last_gap_days,
        cast({{ customer_tiering.running_median(
            'gap_days', 'partition by customer_key, epoch_from order by order_date'
        ) }} as decimal(9, 2)) as median_gap_days,
        epoch_from,
        order_date
    from gaps
),

placed as (
    select
        running.customer_key,
        days.period_index,
        lead(days.period_index) over (
            partition by running.customer_key order by running.epoch_from, running.order_date
        ) as next_change_index,
        running.order_days,
        running.last_gap_days,
        running.median_gap_days
    from running
    inner join days on greatest(running.order_date, running.epoch_from) = days.date_day
),

-- of several changes in a period the last one stands at its end
changes as (
    select * from placed where next_change_index is null or next_change_index > period_index
)

select * from changes
