-- The bar: tiers with their whole monthly history from raw orders, written by hand for speed.
--
-- It computes what the project computes with its default configuration (month, 365-day window,
-- quantile edges, retail profile with orders alone, the shipped ladder, hold 3, grace 1, one level,
-- rolling) from customers, orders and refunds in one currency. It trusts the files: no duplicates,
-- no bad values, no merges, no tests, no reasons, nothing configurable.
-- Variables: raw_path (folder), as_of_date (ISO date).
--
-- Customers are small integers until the last statement; money is cents until then.

create temp table customer_keys as
select
    customer_id,
    (row_number() over ())::integer as customer_key
from read_parquet(getvariable('raw_path') || '/customers.parquet');

-- Ledger: one row per customer, order date and date on which the fact became known ----------------

create temp table ledger as
with orders as (
    select
        order_id,
        customer_id,
        status,
        (order_amount * 100)::bigint as amount,
        ordered_at::date as order_date,
        greatest(cancelled_at, ordered_at)::date as cancelled_on,
        greatest(returned_at, ordered_at)::date as returned_on
    from read_parquet(getvariable('raw_path') || '/orders.parquet')
    where
        customer_id is not null
        and is_test is distinct from true
        and (
            status in ('completed', 'returned')
            or (status = 'cancelled' and cancelled_at > ordered_at)
        )
),

refunds as (
    select
        refund_id,
        order_id,
        (refund_amount * 100)::bigint as amount,
        refunded_at::date as refunded_on
    from read_parquet(getvariable('raw_path') || '/refunds.parquet')
),

reversals as (
    select
        orders.order_id,
        orders.customer_id,
        refunds.refund_id,
        orders.amount as order_amount,
        refunds.amount,
        false as is_cancellation,
        orders.order_date,
        greatest(refunds.refunded_on, orders.order_date) as known_date
    from refunds
    inner join orders using (order_id)

    union all

    select
        order_id,
        customer_id,
        null as refund_id,
        amount as order_amount,
        amount,
        status = 'cancelled' as is_cancellation,
        order_date,
        coalesce(if(status = 'cancelled', cancelled_on, returned_on), order_date) as known_date
    from orders
    where
        status = 'cancelled'
        or (status = 'returned' and order_id not in (select order_id from refunds))
),

cumulated as (
    select
        *,
        sum(amount) over (
            partition by order_id
            order by known_date, refund_id nulls last
            rows unbounded preceding
        )::bigint as amount_to_here
    from reversals
),

facts as (
    select
        customer_id,
        order_date,
        order_date as known_date,
        1 as orders_delta,
        amount as revenue_delta
    from orders

    union all

    select
        customer_id,
        order_date,
        known_date,
        if(
            is_cancellation
            or (
                order_amount > 0
                and amount_to_here >= order_amount
                and amount_to_here - amount < order_amount
            ),
            -1, 0
        ) as orders_delta,
        least(amount_to_here - amount, order_amount) - least(amount_to_here, order_amount)
            as revenue_delta
    from cumulated
)

select
    customer_keys.customer_key,
    facts.order_date,
    facts.known_date,
    sum(facts.orders_delta)::integer as orders_delta,
    sum(facts.revenue_delta)::bigint as revenue_delta
from facts
inner join customer_keys using (customer_id)
group by all;

-- Periods, and for each date the first period that ends on it or later ----------------------------

create temp table periods as
select
    row_number() over (order by month)::smallint as period,
    least(last_day(month), getvariable('as_of_date')::date) as period_end,
    last_day(month) > getvariable('as_of_date')::date as is_open_period
from (
    select
        unnest(
            generate_series(
                date_trunc('month', min(order_date)),
                getvariable('as_of_date')::date,
                interval 1 month
            )
        )::date as month
    from ledger
);

create temp table calendar as
select
    period_end - days::integer as date,
    period
from (
    select
        period,
        period_end,
        unnest(
            range(period_end - lag(period_end, 1, period_end - 31) over (order by period_end))
        ) as days
    from periods
);

-- Measures: each ledger row changes the windows' sums when it becomes known and when its order date
-- leaves a window; running sums over the changes, then one row per period until the next change ---

create temp table measures as
with touched as (
    select distinct
        customer_key,
        order_date
    from ledger
    where orders_delta < 0 or (orders_delta = 0 and known_date = order_date)
),

touched_orders as (
    select
        customer_key,
        order_date,
        known_date,
        sum(orders_delta) over (
            partition by customer_key, order_date
            order by known_date
            rows unbounded preceding
        ) as net_orders
    from ledger
    inner join touched using (customer_key, order_date)
    where known_date <= getvariable('as_of_date')::date
),

undone as (
    select
        customer_key,
        order_date,
        min(known_date) as undone_on
    from touched_orders
    where net_orders <= 0
    group by all
),

-- 0 and 99: never.
dated as (
    select
        ledger.customer_key,
        ledger.orders_delta,
        ledger.revenue_delta,
        known.period as known_in,
        coalesce(half.period, 99)::smallint as leaves_half_in,
        coalesce(leaving.period, 99)::smallint as leaves_in,
        if(ledger.known_date = ledger.order_date, ledger.order_date, null) as order_date,
        undone.period as undone_in,
        undone.undone_on
    from ledger
    inner join calendar as known on ledger.known_date = known.date
    left join calendar as half on ledger.order_date + 182 = half.date
    left join calendar as leaving on ledger.order_date + 365 = leaving.date
    left join (
        select undone.*, calendar.period from undone inner join calendar on undone_on = date
    ) as undone
        on
            ledger.customer_key = undone.customer_key
            and ledger.order_date = undone.order_date
            and ledger.known_date = ledger.order_date
),

events as (
    select
        customer_key,
        known_in as period,
        if(leaves_in > known_in, orders_delta, 0) as orders_delta,
        if(leaves_in > known_in, revenue_delta, 0) as revenue_delta,
        if(leaves_half_in > known_in, revenue_delta, 0) as half_delta,
        if(undone_on is null, order_date, null) as lasting_date,
        null::date as passing_date
    from dated

    union all

    select customer_key, leaves_half_in, 0, 0, -revenue_delta, null, null
    from dated
    where leaves_half_in > known_in and leaves_half_in < 99

    union all

    select customer_key, leaves_in, -orders_delta, -revenue_delta, 0, null, null
    from dated
    where leaves_in > known_in and leaves_in < 99

    union all

    -- A date whose orders are all undone later counts in each period until then.
    select customer_key, unnest(range(known_in, undone_in))::smallint, 0, 0, 0, null, order_date
    from dated
    where undone_in > known_in
),

changes as (
    select
        customer_key,
        period,
        sum(orders_delta)::integer as orders_delta,
        sum(revenue_delta)::bigint as revenue_delta,
        sum(half_delta)::bigint as half_delta,
        min(lasting_date) as first_lasting,
        max(lasting_date) as last_lasting,
        min(passing_date) as first_passing,
        max(passing_date) as last_passing
    from events
    group by all
),

spans as (
    select
        customer_key,
        sum(orders_delta) over known::bigint as frequency,
        sum(revenue_delta) over known::bigint as monetary,
        sum(half_delta) over known::bigint as recent_half,
        least(min(first_lasting) over known, first_passing) as first_on,
        greatest(max(last_lasting) over known, last_passing) as last_on,
        row_number() over known = 1 as is_first,
        period as from_period,
        lead(period, 1, (select max(period) + 1 from periods)) over known as to_period
    from changes
    window known as (partition by customer_key order by period rows unbounded preceding)
),

-- Points in hundredths, rounded half up: what stays the same until the next change.
pointed as (
    select
        *,
        if(
            frequency > 0 and older + recent > 0,
            (10001 * (older + recent) * (frequency + 2) + 10000 * (recent - older) * frequency)
            // (2 * (older + recent) * (frequency + 2)),
            null
        )::smallint as trend_points,
        if(frequency > 0, (20000 * (frequency - 1) + frequency) // (2 * frequency), 0)::smallint
            as repeat_points,
        least(10000, (20000 * (last_on - first_on)::bigint + 1095) // 2190)::smallint
            as tenure_points
    from (
        select
            *,
            greatest(monetary - recent_half, 0) as older,
            greatest(recent_half, 0) as recent
        from spans
    )
),

grid as (
    select
        customer_key,
        frequency,
        monetary,
        trend_points,
        repeat_points,
        tenure_points,
        first_on,
        last_on,
        is_first,
        from_period,
        unnest(range(from_period, to_period))::smallint as period
    from pointed
)

select
    grid.customer_key,
    grid.period,
    grid.frequency::integer as frequency,
    grid.monetary,
    (periods.period_end - grid.last_on)::smallint as recency_days,
    case
        when grid.last_on is null then 'prospect'
        when grid.frequency = 0 then 'lapsed'
        else 'active'
    end::enum ('prospect', 'lapsed', 'active') as status,
    if(grid.first_on <= periods.period_end - 365, grid.trend_points, null) as trend_points,
    grid.repeat_points,
    grid.tenure_points,
    grid.is_first and grid.period = grid.from_period as is_first
from grid
inner join periods using (period);

-- Scores, as whole numbers: points in hundredths, scores in billionths ---------------------------

-- Measures are whole days, orders and cents: "above the edge" is "above its whole part".
create temp table edges as
with quantiles as (
    select
        period,
        quantile_cont(recency_days::double, [0.2, 0.4, 0.6, 0.8]) as r,
        quantile_cont(frequency::double, [0.2, 0.4, 0.6, 0.8]) as f,
        quantile_cont(monetary::double / 100, [0.2, 0.4, 0.6, 0.8]) as m
    from measures
    where status = 'active'
    group by all
),

rounded as (
    select
        period,
        list_transform(r, lambda edge: floor(round(edge, 3))::smallint) as r,
        list_transform(f, lambda edge: floor(round(edge, 3))::integer) as f,
        list_transform(m, lambda edge: floor(round(edge, 3)::decimal(18, 4) * 100)::bigint) as m
    from quantiles
)

select
    period,
    r[1] as r1, r[2] as r2, r[3] as r3, r[4] as r4,
    f[1] as f1, f[2] as f2, f[3] as f3, f[4] as f4,
    m[1] as m1, m[2] as m2, m[3] as m3, m[4] as m4
from rounded;

-- 10000 x (1 - sqrt(share above)): the double is a guess that whole numbers then correct.
create temp table contributions as
with amounts as (
    select
        period,
        monetary,
        count(*) as customers
    from measures
    where status = 'active'
    group by all
),

ranked as (
    select
        period,
        monetary,
        (sum(customers) over (partition by period) - 1)::bigint as others,
        (
            sum(customers) over (
                partition by period
                order by monetary desc
                rows unbounded preceding
            ) - 1
        )::bigint as others_above
    from amounts
),

guessed as (
    select
        *,
        if(others = 0, 10000, ceil(10000 * sqrt(others_above / others) - 0.5))::bigint as guess
    from ranked
)

select
    period,
    monetary,
    'active'::enum ('prospect', 'lapsed', 'active') as status,
    case
        when others = 0 then 0
        when (2 * guess + 1) * (2 * guess + 1) * others < 400000000 * others_above then 9999 - guess
        when
            guess > 0
            and (2 * guess - 1) * (2 * guess - 1) * others >= 400000000 * others_above
            then 10001 - guess
        else 10000 - guess
    end::smallint as contribution_points
from guessed;

create temp table scores as
with scored as (
    select
        measures.*,
        coalesce(contributions.contribution_points, 0) as contribution_points,
        case measures.status
            when 'lapsed' then 1
            when 'active' then
                5
                - (recency_days > r1)::tinyint
                - (recency_days > r2)::tinyint
                - (recency_days > r3)::tinyint
                - (recency_days > r4)::tinyint
        end::tinyint as r_score,
        case measures.status
            when 'lapsed' then 1
            when 'active' then
                1
                + (frequency > f1)::tinyint
                + (frequency > f2)::tinyint
                + (frequency > f3)::tinyint
                + (frequency > f4)::tinyint
        end::tinyint as f_score,
        case
            when measures.status = 'prospect' then null
            when measures.status = 'lapsed' or measures.monetary <= 0 then 1
            else
                1
                + (measures.monetary > m1)::tinyint
                + (measures.monetary > m2)::tinyint
                + (measures.monetary > m3)::tinyint
                + (measures.monetary > m4)::tinyint
        end::tinyint as m_score
    from measures
    left join edges using (period)
    left join contributions
        on
            measures.period = contributions.period
            and measures.monetary = contributions.monetary
            and measures.status = contributions.status
),

summed as (
    select
        *,
        if(status = 'active', 2500::bigint * (r_score + f_score + m_score - 3), 0) as rfm_points,
        case
            when status = 'prospect' then null
            when trend_points is null then
                1684210 * rfm_points
                + 3368420 * contribution_points::bigint
                + 789475 * (repeat_points + tenure_points)::bigint
            else
                1600000 * rfm_points
                + 3200000 * contribution_points::bigint
                + 500000 * trend_points::bigint
                + 750000 * (repeat_points + tenure_points)::bigint
        end as management_score
    from scored
)

select
    customer_key,
    period,
    recency_days,
    frequency,
    monetary,
    r_score,
    f_score,
    m_score,
    management_score,
    case
        when status = 'prospect' then 0
        when management_score >= 88e9::bigint and frequency >= 3 then 5
        when management_score >= 78e9::bigint and frequency >= 2 then 4
        when management_score >= 60e9::bigint and frequency >= 1 then 3
        when management_score >= 40e9::bigint and frequency >= 1 then 2
        when frequency >= 1 then 1
        else 0
    end::tinyint as entered_rank,
    case
        when status = 'prospect' then -1
        when management_score >= 83e9::bigint then 5
        when management_score >= 73e9::bigint then 4
        when management_score >= 55e9::bigint then 3
        when management_score >= 35e9::bigint then 2
        when frequency >= 1 then 1
        else 0
    end::tinyint as kept_rank,
    is_first
from summed;

-- Tiers: one step per period. kept_rank -1: no valid order left -----------------------------------

create temp table states as
with recursive states as (
    select
        customer_key,
        period,
        entered_rank as tier_rank,
        0::tinyint as held,
        0::tinyint as grace,
        if(entered_rank > 0, 'enter', null)::enum (
            'enter', 'upgrade', 'keep', 'protected', 'grace', 'downgrade', 'leave'
        ) as change_type
    from scores
    where is_first

    union all

    select
        customer_key,
        period,
        case change_type
            when 'enter' then entered_rank
            when 'upgrade' then entered_rank
            when 'downgrade' then rank_before - 1
            when 'leave' then 0
            else rank_before
        end::tinyint as tier_rank,
        case
            when change_type in ('enter', 'upgrade') then 0
            else least(held + 1, 3)
        end::tinyint as held,
        case change_type
            when 'protected' then grace
            when 'grace' then grace + 1
            else 0
        end::tinyint as grace,
        change_type
    from (
        select
            reviews.customer_key,
            reviews.period,
            reviews.entered_rank,
            states.tier_rank as rank_before,
            states.held,
            states.grace,
            case
                when states.tier_rank = 0 and reviews.entered_rank = 0 then null
                when states.tier_rank = 0 then 'enter'
                when reviews.kept_rank = -1 then 'leave'
                when reviews.entered_rank > states.tier_rank then 'upgrade'
                when reviews.kept_rank >= states.tier_rank or periods.is_open_period then 'keep'
                when states.held < 3 then 'protected'
                when states.grace < 1 then 'grace'
                when states.tier_rank > 1 then 'downgrade'
                else 'leave'
            end::enum (
                'enter', 'upgrade', 'keep', 'protected', 'grace', 'downgrade', 'leave'
            ) as change_type
        from states
        inner join scores as reviews
            on
                states.customer_key = reviews.customer_key
                and states.period + 1 = reviews.period
        inner join periods on reviews.period = periods.period
    )
)

select
    customer_key,
    period,
    tier_rank,
    change_type
from states;

-- Rows of one customer lie together: a text id then costs a third to write.
create table history as
select
    customer_keys.customer_id,
    scores.recency_days,
    scores.frequency,
    (scores.monetary::decimal(18, 0) * 0.01::decimal(2, 2))::decimal(18, 2) as monetary,
    scores.r_score,
    scores.f_score,
    scores.m_score,
    (scores.management_score::decimal(12, 0) * 0.000000001::decimal(9, 9))::decimal(17, 14)
        as management_score,
    states.tier_rank,
    states.change_type,
    periods.period_end
from scores
inner join states using (customer_key, period)
inner join customer_keys using (customer_key)
inner join periods using (period);
