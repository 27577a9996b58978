with ledger as (
    select * from {{ ref('int_customer_ledger') }}
),

undone_days as (
    select * from {{ ref('int_undone_order_days') }}
),

days as (
    select * from {{ ref('int_period_days') }}
),

-- the periods in which a ledger row becomes known, grows older than a half and a year, and leaves
-- the window; far ahead when that lies after the last period
placed as (
    select
        ledger.customer_key,
        ledger.orders_delta,
        ledger.revenue_delta,
        ledger.order_date,
        known.period_index as known_index,
        ordered.period_index as order_index,
        coalesce(half.period_index, {{ far_ahead() }}) as half_index,
        coalesce(year.period_index, {{ far_ahead() }}) as year_index,
        coalesce(leaving.period_index, {{ far_ahead() }}) as leaving_index,
        ledger.known_date = ledger.order_date and undone_days.order_date is null as is_lasting
    from ledger
    inner join days as known on ledger.known_date = known.date_day
    inner join days as ordered on ledger.order_date = ordered.date_day
    left join days as half
        on ledger.order_date + {{ half_year_days() }} = half.date_day
    left join days as year
        on ledger.order_date + {{ year_days() }} = year.date_day
    left join days as leaving
        on
            ledger.order_date + {{ setting('rfm_window_days') }}
            = leaving.date_day
    left join undone_days
        on
            ledger.customer_key = undone_days.customer_key
            and ledger.order_date = undone_days.order_date
),

-- an order day that is undone later counts until then, period by period; its last row ends that
passing as (
    select
        undone_days.customer_key,
        undone_days.order_date,
        undone.period_index as undone_index,
        {{ unnest_range('ordered.period_index', 'undone.period_index + 1') }}
            as period_index
    from undone_days
    inner join days as ordered on undone_days.order_date = ordered.date_day
    inner join days as undone on undone_days.undone_on = undone.date_day
),

events as (
    select
        customer_key,
        known_index as period_index,
        case when known_index < leaving_index then orders_delta else 0 end as orders_delta,
        case when known_index < leaving_index then revenue_delta else 0 end as revenue_delta,
        case when known_index < half_index then revenue_delta else 0 end as second_half_delta,
        case
            when known_index >= half_index and known_index < year_index then revenue_delta else 0
        end as first_half_delta,
        case when known_index = order_index then revenue_delta else 0 end as period_revenue,
        case when is_lasting then order_date end as lasting_order_date,
        cast(null as date) as passing_order_date
    from placed
    union all
    select
        customer_key,
        leaving_index as period_index,
        -orders_delta as orders_delta,
        -revenue_delta as revenue_delta,
        0 as second_half_delta,
        -- the usual window is the year: one event serves both
        case when year_index = leaving_index then -revenue_delta else 0 end as first_half_delta,
        0 as period_revenue,
        null as lasting_order_date,
        null as passing_order_date
    from placed
    where leaving_index > known_index and leaving_index < {{ far_ahead() }}
    union all
    select
        customer_key,
        half_index as period_index,
        0 as orders_delta,
        0 as revenue_delta,
        -revenue_delta as second_half_delta,
        case when half_index < year_index then revenue_delta else 0 end as first_half_delta,
        0 as period_revenue,
        null as lasting_order_date,
        null as passing_order_date
    from placed
    where half_index > known_index and half_index < {{ far_ahead() }}
    union all
    select
        customer_key,
        year_index as period_index,
        0 as orders_delta,
        0 as revenue_delta,
        0 as second_half_delta,
        -revenue_delta as first_half_delta,
        0 as period_revenue,
        null as lasting_order_date,
        null as passing_order_date
    from placed
    where
        year_index > known_index
        and year_index > half_index
        and year_index <> leaving_index
        and year_index < {{ far_ahead() }}
    union all
    select
        customer_key,
        period_index,
        0 as orders_delta,
        0 as revenue_delta,
        0 as second_half_delta,
        0 as first_half_delta,
        0 as period_revenue,
        null as lasting_order_date,
        case when period_index < undone_index then order_date end as passing_order_date
    from passing
)

select * from events
