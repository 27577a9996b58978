{# How often customers have come back, each time that it changes. Undoing an order day starts a new
   epoch of the customer's history. Within one epoch days are only added, so running counts are
   exact. #}
with ledger as (
    select * from {{ ref('int_ledger_to_compute') }}
),

undone_days as (
    select * from {{ ref('int_undone_order_days') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

-- a day that is undone in its own period is never there at a period's end
order_days as (
    select
        ledger.customer_key,
        ordered.period_index as order_index,
        undone.period_index as undone_index,
        ledger.order_date
    from ledger
    inner join days as ordered on ledger.order_date = ordered.date_day
    left join undone_days
        on
            ledger.customer_key = undone_days.customer_key
            and ledger.order_date = undone_days.order_date
    left join days as undone on undone_days.undone_on = undone.date_day
    where
        ledger.known_date = ledger.order_date
        and (undone.period_index is null or undone.period_index > ordered.period_index)
),

starts as (
    select distinct
        customer_key,
        0 as epoch_from
    from order_days
    union all
    select distinct
        customer_key,
        undone_index as epoch_from
    from order_days
    where undone_index is not null
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
        epochs.epoch_to,
        order_days.order_index,
        order_days.order_date
    from epochs
    inner join order_days
        on
            epochs.customer_key = order_days.customer_key
            and (order_days.undone_index is null or epochs.epoch_from < order_days.undone_index)
            and (epochs.epoch_to is null or epochs.epoch_to > order_days.order_index)
),

-- an epoch's own last row holds until the next epoch begins
gaps as (
    select
        customer_key,
        epoch_from,
        greatest(order_index, epoch_from) as period_index,
        coalesce(lead(greatest(order_index, epoch_from)) over days_so_far, epoch_to)
            as next_change_index,
        cast(row_number() over days_so_far as integer) as order_days,
        {{ days_between('lag(order_date) over days_so_far', 'order_date') }} as gap_days,
        order_date
    from standing
    window days_so_far as (partition by customer_key, epoch_from order by order_date)
),

gap_lists as (
    select
        customer_key,
        epoch_from,
        {{ ordered_list('gap_days', 'order_date') }} as gap_days
    from gaps
    where gap_days is not null
    group by customer_key, epoch_from
),

-- of several changes in a period the last one counts
changes as (
    select * from gaps where next_change_index is null or next_change_index > period_index
),

rhythms as (
    select
        changes.customer_key,
        changes.period_index,
        changes.next_change_index,
        changes.order_days,
        changes.gap_days as last_gap_days,
        cast(
            {{ median_of_first('gap_lists.gap_days', 'changes.order_days - 1') }}
            as decimal(9, 2)
        ) as median_gap_days
    from changes
    left join gap_lists
        on
            changes.customer_key = gap_lists.customer_key
            and changes.epoch_from = gap_lists.epoch_from
)

select * from rhythms
