with ledger as (
    select * from {{ ref('int_ledger_to_compute') }}
),

customers as (
    select * from {{ ref('int_customers_to_compute') }}
),

undone_days as (
    select undone_order_days.*
    from {{ ref('int_undone_order_days') }} as undone_order_days
    inner join customers on undone_order_days.customer_key = customers.customer_key
),

days as (
    select * from {{ ref('int_period_days') }}
),

-- the periods in which a ledger row becomes known, grows older than a half and a year, and leaves
-- the window: not before it is known, and far ahead when that lies after the last period
placed as (
    select
        ledger.customer_key,
        ledger.orders_delta,
        ledger.revenue_delta,
        known.period_index as known_index,
        {%- for moment in ['half', 'year', 'leaving'] %}
        greatest(known.period_index, coalesce({{ moment }}.period_index, {{ far_ahead() }}))
            as {{ moment }}_index,
        {%- endfor %}
        case when known.period_index = ordered.period_index then ledger.orders_delta else 0 end
            as period_orders,
        case when known.period_index = ordered.period_index then ledger.revenue_delta else 0 end
            as period_revenue,
        case
            when ledger.known_date = ledger.order_date and undone_days.order_date is null
                then ledger.order_date
        end as lasting_order_date
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

-- what is known too late to count is added and taken away in one period
moments as (
    select
        customer_key,
        {{ unnested(['known_index', 'half_index', 'year_index', 'leaving_index']) }}
            as period_index,

        {{ unnested(['orders_delta', '0', '0', '-orders_delta']) }} as orders_delta,
        {{ unnested(['revenue_delta', '0', '0', '-revenue_delta']) }} as revenue_delta,
        {{ unnested(['revenue_delta', '-revenue_delta', '0', '0']) }} as second_half_delta,
        {{ unnested(['0', 'revenue_delta', '-revenue_delta', '0']) }} as first_half_delta,
        {{ unnested(['period_orders', '0', '0', '0']) }} as period_orders,
        {{ unnested(['period_revenue', '0', '0', '0']) }} as period_revenue,

        {{ unnested(['lasting_order_date', 'null', 'null', 'null']) }} as lasting_order_date
    from placed
),

events as (
    select
        *,
        cast(null as date) as passing_order_date
    from moments
    where period_index < {{ far_ahead() }}
    union all
    select
        customer_key,
        period_index,
        0 as orders_delta,
        0 as revenue_delta,
        0 as second_half_delta,
        0 as first_half_delta,
        0 as period_orders,
        0 as period_revenue,
        null as lasting_order_date,
        case when period_index < undone_index then order_date end as passing_order_date
    from passing
)

select * from events
