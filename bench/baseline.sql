-- The bar: tiers and lifecycle with their whole monthly history, alerts and the actions due now,
-- from raw tables, written by hand for speed.
--
-- It computes what the project computes with its default configuration (month, 365-day window,
-- quantile edges, retail profile, the shipped ladder, lifecycle, alert rules and playbook, hold 3,
-- grace 1, one level, rolling) from customers, orders, order lines, products, refunds,
-- interactions, tickets, survey responses and referrals in one currency. It trusts the files: no
-- duplicates, no bad values, no merges, no unknown customers, no tests, no reasons, nothing
-- configurable.
-- Variables: raw_path (folder of a folder per table), as_of_date (ISO date).
--
-- Customers are small integers until the last statement; money is cents until then.

create temp table customer_keys as
select
    customer_id,
    (row_number() over ())::integer as customer_key
from read_parquet(getvariable('raw_path') || '/customers/*.parquet');

-- Orders that count, and what was taken back of them ----------------------------------------------

create temp table orders as
select
    orders.order_id,
    customer_keys.customer_key,
    orders.status,
    (orders.order_amount * 100)::bigint as amount,
    orders.ordered_at::date as order_date,
    greatest(orders.cancelled_at, orders.ordered_at)::date as cancelled_on,
    greatest(orders.returned_at, orders.ordered_at)::date as returned_on
from read_parquet(getvariable('raw_path') || '/orders/*.parquet') as orders
inner join customer_keys using (customer_id)
where
    is_test is distinct from true
    and (
        status in ('completed', 'returned')
        or (status = 'cancelled' and cancelled_at > ordered_at)
    );

create temp table reversals as
with refunds as (
    select
        refund_id,
        order_id,
        (refund_amount * 100)::bigint as amount,
        refunded_at::date as refunded_on
    from read_parquet(getvariable('raw_path') || '/refunds/*.parquet')
),

reversals as (
    select
        orders.order_id,
        orders.customer_key,
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
        customer_key,
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
)

select
    order_id,
    customer_key,
    order_date,
    known_date,
    is_cancellation
    or (
        order_amount > 0
        and amount_to_here >= order_amount
        and amount_to_here - amount < order_amount
    ) as is_order_undone,
    least(amount_to_here - amount, order_amount) - least(amount_to_here, order_amount)
        as revenue_delta
from cumulated;

-- Ledger: one row per customer, order date and date on which the fact became known ----------------

create temp table ledger as
with facts as (
    select
        customer_key,
        order_date,
        order_date as known_date,
        1 as orders_delta,
        amount as revenue_delta
    from orders

    union all

    select
        customer_key,
        order_date,
        known_date,
        if(is_order_undone, -1, 0) as orders_delta,
        revenue_delta
    from reversals
)

select
    customer_key,
    order_date,
    known_date,
    sum(orders_delta)::integer as orders_delta,
    sum(revenue_delta)::bigint as revenue_delta
from facts
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

-- To the first period belongs also what happened in the year before and still counts in it.
create temp table calendar as
select
    period_end - days::integer as date,
    period
from (
    select
        period,
        period_end,
        unnest(
            range(period_end - lag(period_end, 1, period_end - 365) over (order by period_end))
        ) as days
    from periods
);

-- Order days of which no order is left, and when --------------------------------------------------

create temp table undone as
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
)

select
    touched_orders.customer_key,
    touched_orders.order_date,
    min(touched_orders.known_date) as undone_on,
    min(calendar.period) as period
from touched_orders
inner join calendar on touched_orders.known_date = calendar.date
where touched_orders.net_orders <= 0
group by 1, 2;

-- Measures: each ledger row changes the windows' sums when it becomes known and when its order date
-- leaves a window; running sums over the changes, then one row per period until the next change ---

create temp table measures as
-- 0 and 99: never.
with dated as (
    select
        ledger.customer_key,
        ledger.orders_delta,
        ledger.revenue_delta,
        if(known.period = ordered.period, ledger.revenue_delta, 0) as period_revenue,
        known.period as known_in,
        coalesce(half.period, 99)::smallint as leaves_half_in,
        coalesce(leaving.period, 99)::smallint as leaves_in,
        if(ledger.known_date = ledger.order_date, ledger.order_date, null) as order_date,
        undone.period as undone_in,
        undone.undone_on
    from ledger
    inner join calendar as known on ledger.known_date = known.date
    inner join calendar as ordered on ledger.order_date = ordered.date
    left join calendar as half on ledger.order_date + 182 = half.date
    left join calendar as leaving on ledger.order_date + 365 = leaving.date
    left join undone
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
        period_revenue,
        if(undone_on is null, order_date, null) as lasting_date,
        null::date as passing_date
    from dated

    union all

    select customer_key, leaves_half_in, 0, 0, -revenue_delta, 0, null, null
    from dated
    where leaves_half_in > known_in and leaves_half_in < 99

    union all

    select customer_key, leaves_in, -orders_delta, -revenue_delta, 0, 0, null, null
    from dated
    where leaves_in > known_in and leaves_in < 99

    union all

    -- A date whose orders are all undone later counts in each period until then.
    select customer_key, unnest(range(known_in, undone_in))::smallint, 0, 0, 0, 0, null, order_date
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
        sum(period_revenue)::bigint as period_revenue,
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
        period_revenue,
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
        older,
        recent,
        period_revenue,
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
    grid.older,
    grid.recent,
    if(grid.period = grid.from_period, grid.period_revenue, 0) as period_revenue,
    (periods.period_end - grid.last_on)::smallint as recency_days,
    case
        when grid.last_on is null then 'prospect'
        when grid.frequency = 0 then 'lapsed'
        else 'active'
    end::enum ('prospect', 'lapsed', 'active') as status,
    coalesce(grid.first_on <= periods.period_end - 365, false) as is_a_year_old,
    if(is_a_year_old, grid.trend_points, null) as trend_points,
    grid.repeat_points,
    grid.tenure_points,
    grid.is_first and grid.period = grid.from_period as is_first
from grid
inner join periods using (period);

-- Signals: what else is known of a customer, counting in the periods from `starts` to before `ends`
-- (99: to the last) -------------------------------------------------------------------------------

create temp table facts as
with lines as (
    select
        orders.customer_key,
        products.category,
        entering.period as starts,
        least(leaving.period, undone.period, 99)::smallint as ends,
        sum((items.line_amount * 100)::bigint)::bigint as amount,
        sum(
            if(products.product_type <> 'product', (items.line_amount * 100)::bigint, 0)
        )::bigint as service_amount
    from read_parquet(getvariable('raw_path') || '/order_items/*.parquet') as items
    inner join orders using (order_id)
    inner join read_parquet(getvariable('raw_path') || '/products/*.parquet') as products
        using (product_id)
    inner join calendar as entering on orders.order_date = entering.date
    left join calendar as leaving on orders.order_date + 365 = leaving.date
    left join (
        select reversals.order_id, calendar.period
        from reversals
        inner join calendar on reversals.known_date = calendar.date
        where reversals.is_order_undone
    ) as undone using (order_id)
    group by 1, 2, 3, 4
),

interactions as (
    select
        customer_keys.customer_key,
        channel,
        interaction_type = 'usage' as is_usage,
        coalesce(duration_seconds, 0) as seconds,
        occurred_at::date as occurred_on
    from read_parquet(getvariable('raw_path') || '/interactions/*.parquet')
    inner join customer_keys using (customer_id)
),

contacts as (
    select
        interactions.*,
        entering.period as starts,
        coalesce(leaving.period, 99)::smallint as ends
    from interactions
    inner join calendar as entering on interactions.occurred_on = entering.date
    left join calendar as leaving on interactions.occurred_on + 365 = leaving.date
),

responses as (
    select
        customer_keys.customer_key,
        response_id,
        survey_type,
        score,
        responded_at
    from read_parquet(getvariable('raw_path') || '/survey_responses/*.parquet')
    inner join customer_keys using (customer_id)
),

tickets as (
    select
        customer_keys.customer_key,
        ticket_type,
        satisfaction_score,
        opened_at::date as opened_on,
        if(closed_at is not null, greatest(closed_at, opened_at), null)::date as closed_on
    from read_parquet(getvariable('raw_path') || '/tickets/*.parquet')
    inner join customer_keys using (customer_id)
),

-- What counts from one date on for a year.
dated as (
    select
        customer_key,
        'complaints' as kind,
        1 as amount,
        opened_on as happened_on
    from tickets
    where ticket_type = 'complaint'

    union all

    select customer_key, 'csat', satisfaction_score, coalesce(closed_on, opened_on)
    from tickets
    where satisfaction_score is not null

    union all

    select customer_key, 'csat', score, responded_at::date
    from responses
    where survey_type = 'csat'

    union all

    select customer_key, 'referrals', 1, greatest(converted_at, referred_at)::date
    from read_parquet(getvariable('raw_path') || '/referrals/*.parquet')
    inner join customer_keys on referrer_customer_id = customer_id
    where converted_at is not null
),

-- The newest answer counts, until the next one.
answers as (
    select
        responses.customer_key,
        responses.score,
        entering.period as starts,
        least(
            leaving.period,
            lead(entering.period) over (
                partition by responses.customer_key
                order by responses.responded_at, responses.response_id
            ),
            99
        )::smallint as ends
    from responses
    inner join calendar as entering on responses.responded_at::date = entering.date
    left join calendar as leaving on responses.responded_at::date + 365 = leaving.date
    where responses.survey_type = 'nps'
),

-- Of these it counts how many different ones there are in a period.
things as (
    select
        customer_key,
        'categories' as kind,
        category as thing,
        starts,
        ends
    from lines
    where category is not null

    union all

    select distinct customer_key, 'channels', channel, starts, ends
    from contacts

    union all

    select distinct
        customer_key,
        'contact_months',
        date_trunc('month', occurred_on)::varchar,
        starts,
        ends
    from contacts
    where not is_usage
),

-- What an earlier one of its kind has counted already is left out.
counted_once as (
    select
        customer_key,
        kind,
        greatest(starts, coalesce(max(ends) over earlier, 0))::smallint as starts,
        ends
    from things
    window earlier as (
        partition by customer_key, kind, thing
        order by starts, ends
        rows between unbounded preceding and 1 preceding
    )
),

facts as (
    select
        dated.customer_key,
        dated.kind,
        dated.amount,
        entering.period as starts,
        leaving.period as ends
    from dated
    inner join calendar as entering on dated.happened_on = entering.date
    left join calendar as leaving on dated.happened_on + 365 = leaving.date

    union all

    -- A complaint counts once more while it is open.
    select tickets.customer_key, 'complaints', 1, opening.period, closing.period
    from tickets
    inner join calendar as opening on tickets.opened_on = opening.date
    left join calendar as closing on tickets.closed_on = closing.date
    where tickets.ticket_type = 'complaint'

    union all

    select customer_key, 'nps', score, starts, ends
    from answers

    union all

    select customer_key, kind, 1, starts, ends
    from counted_once

    union all

    select customer_key, 'active_days', 1, starts, ends
    from (select distinct customer_key, occurred_on, starts, ends from contacts)

    union all

    select customer_key, 'usage_seconds', seconds, starts, ends
    from contacts
    where is_usage

    union all

    select customer_key, 'line_revenue', amount, starts, ends
    from lines

    union all

    select customer_key, 'service_revenue', service_amount, starts, ends
    from lines
)

select
    customer_key,
    kind::enum (
        'complaints', 'csat', 'nps', 'referrals', 'categories', 'channels',
        'contact_months', 'active_days', 'usage_seconds', 'line_revenue', 'service_revenue'
    ) as kind,
    amount::bigint as amount,
    starts,
    coalesce(ends, 99)::smallint as ends
from facts
where starts < coalesce(ends, 99);

-- Running sums over what begins and ends to count, as points in hundredths, or as counts where they
-- are still to be ranked: one row per period until the next change.
create temp table signals as
with changes as (
    select
        customer_key,
        period,
        sum(amount) filter (kind = 'referrals') as referrals,
        sum(amount) filter (kind = 'nps') as nps,
        sum(one) filter (kind = 'nps') as nps_answers,
        sum(amount) filter (kind = 'csat') as csat,
        sum(one) filter (kind = 'csat') as csat_answers,
        sum(amount) filter (kind = 'complaints') as complaints,
        sum(amount) filter (kind = 'active_days') as active_days,
        sum(amount) filter (kind = 'channels') as channels,
        sum(amount) filter (kind = 'usage_seconds') as usage_seconds,
        sum(amount) filter (kind = 'categories') as categories,
        sum(amount) filter (kind = 'line_revenue') as line_revenue,
        sum(amount) filter (kind = 'service_revenue') as service_revenue,
        sum(amount) filter (kind = 'contact_months') as contact_months
    from (
        select customer_key, kind, starts as period, amount, 1 as one
        from facts

        union all

        select customer_key, kind, ends, -amount, -1
        from facts
        where ends < 99
    )
    group by 1, 2
),

spans as (
    select
        customer_key,
        coalesce(sum(referrals) over known, 0)::bigint as referrals,
        coalesce(sum(nps) over known, 0)::bigint as nps,
        coalesce(sum(nps_answers) over known, 0)::bigint as nps_answers,
        coalesce(sum(csat) over known, 0)::bigint as csat,
        coalesce(sum(csat_answers) over known, 0)::bigint as csat_answers,
        coalesce(sum(complaints) over known, 0)::bigint as complaints,
        coalesce(sum(active_days) over known, 0)::bigint as active_days,
        coalesce(sum(channels) over known, 0)::bigint as channels,
        coalesce(sum(usage_seconds) over known, 0)::bigint as usage_seconds,
        coalesce(sum(categories) over known, 0)::bigint as categories,
        coalesce(sum(line_revenue) over known, 0)::bigint as line_revenue,
        coalesce(sum(service_revenue) over known, 0)::bigint as service_revenue,
        coalesce(sum(contact_months) over known, 0)::bigint as contact_months,
        period as from_period,
        lead(period, 1, (select max(period) + 1 from periods)) over known as to_period
    from changes
    window known as (partition by customer_key order by period rows unbounded preceding)
)

select
    customer_key,
    unnest(range(from_period, to_period))::smallint as period,
    (
        if(nps_answers > 0, 2, 0)
        + if(csat_answers > 0, 4, 0)
        + if(line_revenue > 0, 8, 0)
    )::smallint as known,
    ((20000 * least(referrals, 3) + 3) // 6)::smallint as referral_points,
    (1000 * nps)::smallint as nps_points,
    if(csat_answers > 0, (5000 * csat - 4999 * csat_answers) // (2 * csat_answers), 0)::smallint
        as csat_points,
    ((20001 + complaints) // (2 + 2 * complaints))::smallint as complaint_points,
    active_days,
    channels,
    usage_seconds,
    contact_months,
    (2000 * least(categories, 5))::smallint as category_points,
    if(
        line_revenue > 0,
        (20000 * service_revenue + line_revenue) // (2 * line_revenue),
        0
    )::smallint as demand_points
from spans;

-- Points of each count by its rank among active customers (equal ones count half), and coverage:
-- the per cent of them whose count is above zero.
create temp table ranks as
with counts as (
    select
        period,
        kind,
        own_count,
        count(*) filter (status = 'active') as customers
    from (
        unpivot (
            select
                period,
                status,
                coalesce(active_days, 0) as active_days,
                coalesce(channels, 0) as channels,
                coalesce(usage_seconds, 0) as usage_seconds,
                coalesce(contact_months, 0) as contact_months
            from measures
            left join signals using (customer_key, period)
            where status <> 'prospect'
        )
        on active_days, channels, usage_seconds, contact_months
        into name kind value own_count
    )
    group by all
),

ranked as (
    select
        *,
        (sum(customers) over counted)::bigint as up_to_here,
        (sum(customers) over everybody)::bigint as peers,
        coalesce(sum(customers) filter (own_count > 0) over everybody, 0)::bigint as covered
    from counts
    window
        everybody as (partition by period, kind),
        counted as (
            partition by period, kind
            order by own_count
            rows unbounded preceding
        )
)

select
    period,
    kind,
    own_count,
    ((10000 * (2 * up_to_here - customers) + peers) // (2 * peers))::smallint as points,
    ((200 * covered + peers) // (2 * peers))::tinyint as coverage
from ranked
where peers > 0;

-- Weights, in millionths, by period and what is known of a customer: `known` has bits for the trend
-- (1), NPS (2), CSAT (4) and types of products (8) ------------------------------------------------

create temp macro share(weight, total) as
    if(total = 0, 0, (2000000::bigint * weight + total) // (2 * total))::bigint;

-- From the period of the first fact of its kind, of anybody, an input is known. Those of
-- interactions weigh by their coverage, in per cent, all others by 100. What rounding leaves goes to
-- the heaviest: value; active days, as nobody has a channel or usage without one; the first known of
-- partnership. The shares of loyalty and satisfaction add up as they are.
create temp table weights as
with firsts as (
    select
        (
            select min(opened_at)::date
            from read_parquet(getvariable('raw_path') || '/tickets/*.parquet')
        ) as ticket_on,
        (
            select min(referred_at)::date
            from read_parquet(getvariable('raw_path') || '/referrals/*.parquet')
        ) as referral_on,
        (select min(starts) from facts where kind = 'categories') as category_in
),

coverages as (
    select
        period,
        max(coverage) filter (kind = 'active_days')::integer as active_days,
        max(coverage) filter (kind = 'channels')::integer as channels,
        max(coverage) filter (kind = 'usage_seconds')::integer as usage,
        max(coverage) filter (kind = 'contact_months')::integer as contacts
    from ranks
    group by period
),

percents as (
    select
        periods.period,
        known::smallint as known,
        400 * (known & 1) as growth_weight,
        40 * (known >> 1 & 1) as nps,
        30 * (known >> 2 & 1) as csat,
        if(period_end >= ticket_on, 30, 0) as complaints,
        if(period_end >= referral_on, 20, 0) as referrals,
        50 * coalesce(active_days, 0) as active_day_weight,
        30 * coalesce(channels, 0) as channel_weight,
        20 * coalesce(usage, 0) as usage_weight,
        if(period >= category_in, 5000, 0) as category_weight,
        2500 * (known >> 3 & 1) as demand_weight,
        25 * coalesce(contacts, 0) as contact_weight,
        10 * coalesce(active_days, 0) as engagement_weight
    from periods
    cross join firsts
    cross join range(16) as sets (known)
    left join coverages using (period)
),

totals as (
    select
        *,
        80 + referrals as loyalty_inputs,
        nps + csat + complaints as satisfaction_inputs,
        active_day_weight + channel_weight + usage_weight as engagement_inputs,
        category_weight + demand_weight + contact_weight as partnership_inputs,
        if(satisfaction_inputs > 0, 1000, 0) as satisfaction_weight,
        7600 + growth_weight + satisfaction_weight + engagement_weight as components
    from percents
)

select
    period,
    known,
    share(growth_weight, components) as growth,
    share(1200, components) as loyalty,
    share(satisfaction_weight, components) as satisfaction,
    share(engagement_weight, components) as engagement,
    1000000 - growth - loyalty - satisfaction - engagement as value,
    share(40, loyalty_inputs) as repeat_rate,
    share(40, loyalty_inputs) as tenure,
    share(referrals, loyalty_inputs) as referrals,
    share(nps, satisfaction_inputs) as nps,
    share(csat, satisfaction_inputs) as csat,
    share(complaints, satisfaction_inputs) as complaints,
    share(channel_weight, engagement_inputs) as channels,
    share(usage_weight, engagement_inputs) as usage,
    1000000 - channels - usage as active_days,
    share(contact_weight, partnership_inputs) as contacts,
    case
        when demand_weight = 0 then 0
        when category_weight = 0 then 1000000 - contacts
        else share(demand_weight, partnership_inputs)
    end as demand,
    if(category_weight > 0, 1000000 - demand - contacts, 0) as categories,
    satisfaction_inputs > 0 as has_satisfaction,
    engagement_inputs > 0 as has_engagement,
    partnership_inputs > 0 as has_partnership
from totals;

-- Scores, as whole numbers: components in units of 10^-8, the management score in 10^-14 ----------

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

-- A lapsed customer without any has 0, not the rank of those active without any.
create temp macro rank_points(status, own_count, points) as
    if(status = 'lapsed' and coalesce(own_count, 0) = 0, 0, coalesce(points, 0));

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
        end::tinyint as m_score,
        (frequency + 1 > f1)::tinyint
        + (frequency + 1 > f2)::tinyint
        + (frequency + 1 > f3)::tinyint
        + (frequency + 1 > f4)::tinyint as edges_below_next_order
    from measures
    left join edges using (period)
    left join contributions
        on
            measures.period = contributions.period
            and measures.monetary = contributions.monetary
            and measures.status = contributions.status
),

weighed as (
    select
        scored.*,
        weights.* exclude (known),
        if(status = 'active', 2500 * (r_score + f_score + m_score - 3), 0)::bigint as rfm_points,
        coalesce(referral_points, 0) as referral_points,
        coalesce(nps_points, 0) as nps_points,
        coalesce(csat_points, 0) as csat_points,
        coalesce(complaint_points, 10000) as complaint_points,
        rank_points(status, signals.active_days, day_ranks.points) as active_day_points,
        rank_points(status, signals.channels, channel_ranks.points) as channel_points,
        rank_points(status, signals.usage_seconds, usage_ranks.points) as usage_points,
        coalesce(category_points, 0) as category_points,
        coalesce(demand_points, 0) as demand_points,
        rank_points(status, signals.contact_months, contact_ranks.points) as contact_points
    from scored
    left join signals using (customer_key, period)
    inner join weights
        on
            scored.period = weights.period
            and if(trend_points is null, 0, 1) + coalesce(signals.known, 0) = weights.known
    left join ranks as day_ranks
        on
            day_ranks.kind = 'active_days'
            and scored.period = day_ranks.period
            and coalesce(signals.active_days, 0) = day_ranks.own_count
    left join ranks as channel_ranks
        on
            channel_ranks.kind = 'channels'
            and scored.period = channel_ranks.period
            and coalesce(signals.channels, 0) = channel_ranks.own_count
    left join ranks as usage_ranks
        on
            usage_ranks.kind = 'usage_seconds'
            and scored.period = usage_ranks.period
            and coalesce(signals.usage_seconds, 0) = usage_ranks.own_count
    left join ranks as contact_ranks
        on
            contact_ranks.kind = 'contact_months'
            and scored.period = contact_ranks.period
            and coalesce(signals.contact_months, 0) = contact_ranks.own_count
),

components as (
    select
        *,
        if(status <> 'prospect', 200000 * rfm_points + 400000::bigint * contribution_points, null)
            as value_score,
        1000000::bigint * trend_points as growth_score,
        if(
            status <> 'prospect',
            repeat_rate * repeat_points + tenure * tenure_points + referrals * referral_points,
            null
        ) as loyalty_score,
        if(
            status <> 'prospect' and has_satisfaction,
            nps * nps_points + csat * csat_points + complaints * complaint_points,
            null
        ) as satisfaction_score,
        if(
            status <> 'prospect' and has_engagement,
            active_days * active_day_points + channels * channel_points + usage * usage_points,
            null
        ) as engagement_score,
        if(
            status <> 'prospect' and has_partnership,
            categories * category_points + demand * demand_points + contacts * contact_points,
            null
        ) as partnership_score
    from weighed
),

summed as (
    select
        *,
        value * value_score
        + growth * coalesce(growth_score, 0)
        + loyalty * loyalty_score
        + satisfaction * coalesce(satisfaction_score, 0)
        + engagement * coalesce(engagement_score, 0) as management_score,
        -- One more order on the period's last day, whatever its amount.
        management_score
        + value * 200000 * (
            10000 - 2500 * (r_score - 1) + 2500 * (edges_below_next_order - f_score + 1)
        )
        + loyalty * repeat_rate * (
            (20000 * frequency + frequency + 1) // (2 * (frequency + 1)) - repeat_points
        ) as score_with_an_order
    from components
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
    value_score,
    growth_score,
    loyalty_score,
    satisfaction_score,
    engagement_score,
    partnership_score,
    management_score,
    older,
    recent,
    period_revenue,
    status,
    is_a_year_old,
    if(frequency > 0, score_with_an_order, null) as score_with_an_order,
    case
        when frequency = 0 or status = 'prospect' then 0
        when score_with_an_order >= 87e14::bigint then 5
        when score_with_an_order >= 78e14::bigint then 4
        when score_with_an_order >= 60e14::bigint then 3
        when score_with_an_order >= 40e14::bigint then 2
        else 1
    end::tinyint as rank_with_an_order,
    case
        when status = 'prospect' then 0
        when management_score >= 87e14::bigint and frequency >= 1 then 5
        when management_score >= 78e14::bigint and frequency >= 1 then 4
        when management_score >= 60e14::bigint and frequency >= 1 then 3
        when management_score >= 40e14::bigint and frequency >= 1 then 2
        when frequency >= 1 then 1
        else 0
    end::tinyint as entered_rank,
    case
        when status = 'prospect' then -1
        when management_score >= 82e14::bigint then 5
        when management_score >= 73e14::bigint then 4
        when management_score >= 55e14::bigint then 3
        when management_score >= 35e14::bigint then 2
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
        management_score,
        null::bigint as score_before,
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
            when is_open_period then held
            else least(held + 1, 3)
        end::tinyint as held,
        case
            when change_type = 'grace' then grace + 1
            when change_type = 'protected' or is_open_period and change_type = 'keep' then grace
            else 0
        end::tinyint as grace,
        management_score,
        score_before,
        change_type
    from (
        select
            reviews.customer_key,
            reviews.period,
            reviews.entered_rank,
            states.tier_rank as rank_before,
            states.held,
            states.grace,
            reviews.management_score,
            states.management_score as score_before,
            periods.is_open_period,
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
    held,
    grace,
    score_before,
    change_type
from states;

-- Rhythms: order days so far, the last gap and, from three gaps on, twice their median. Undoing a
-- day starts a new count; within one, days are only added, so gaps so far begin the list of all ----

create temp table rhythms as
with order_days as (
    select
        ledger.customer_key,
        ledger.order_date,
        entering.period as starts,
        coalesce(undone.period, 99)::smallint as ends
    from ledger
    inner join calendar as entering on ledger.order_date = entering.date
    left join undone
        on ledger.customer_key = undone.customer_key and ledger.order_date = undone.order_date
    where
        ledger.known_date = ledger.order_date
        and coalesce(undone.period, 99) > entering.period
),

counts as (
    select
        customer_key,
        counts_from,
        lead(counts_from, 1, 99) over (partition by customer_key order by counts_from) as counts_to
    from (
        select distinct
            customer_key,
            0 as counts_from
        from order_days
        union
        select
            customer_key,
            ends
        from order_days
        where ends < 99
    )
),

standing as (
    select
        customer_key,
        counts_from,
        counts_to,
        order_date,
        greatest(starts, counts_from) as period,
        (row_number() over so_far)::integer as order_days,
        (order_date - lag(order_date) over so_far)::integer as gap
    from counts
    inner join order_days using (customer_key)
    where starts < counts_to and ends > counts_from
    window so_far as (partition by customer_key, counts_from order by order_date)
),

lists as (
    select
        customer_key,
        counts_from,
        list(gap order by order_date) as gaps
    from standing
    where gap is not null
    group by all
),

-- Of several order days in a period the last one counts.
changes as (
    select
        *,
        lead(period, 1, least(counts_to, (select max(period) + 1 from periods))) over so_far
            as to_period
    from standing
    window so_far as (partition by customer_key, counts_from order by order_date)
)

select
    changes.customer_key,
    changes.order_days,
    changes.gap as last_gap,
    if(changes.order_days > 3, 2 * list_median(lists.gaps[:changes.order_days - 1]), null)::integer
        as double_gap,
    unnest(range(changes.period, changes.to_period))::smallint as period
from changes
left join lists using (customer_key, counts_from)
where changes.to_period > changes.period;

-- Reviews: scores and tiers, where a customer stands, and four times the expected gap: one's own, or
-- that of the segment, of everybody or 90 days -----------------------------------------------------

create temp table placed as
select
    scores.* replace (recency_days::integer as recency_days),
    states.* exclude (customer_key, period),
    if(recency_days is null, 0, rhythms.order_days) as order_days,
    rhythms.last_gap,
    if(recency_days is null, null, rhythms.double_gap) as double_gap,
    case
        when status <> 'active' then status::varchar
        when f_score >= 4 and r_score = 5 then 'champions'
        when f_score >= 4 and r_score >= 3 then 'loyal'
        when f_score between 2 and 3 and r_score >= 4 then 'potential_loyalists'
        when r_score = 5 then 'new_customers'
        when r_score = 4 then 'promising'
        when r_score = 3 and f_score = 3 then 'need_attention'
        when r_score = 3 then 'about_to_sleep'
        when f_score = 5 then 'cant_lose'
        when f_score >= 3 then 'at_risk'
        else 'hibernating'
    end::enum (
        'prospect', 'lapsed', 'champions', 'loyal', 'potential_loyalists', 'new_customers',
        'promising', 'need_attention', 'about_to_sleep', 'cant_lose', 'at_risk', 'hibernating'
    ) as segment_code
from scores
inner join states using (customer_key, period)
left join rhythms using (customer_key, period);

create temp table reviews as
with of_segments as (
    select
        period,
        segment_code,
        (2 * quantile_cont(double_gap, 0.5))::integer as quadruple_gap
    from placed
    group by all
),

of_periods as (
    select
        period,
        (2 * quantile_cont(double_gap, 0.5))::integer as quadruple_gap
    from placed
    group by all
),

expected as (
    select
        placed.*,
        coalesce(
            2 * placed.double_gap, of_segments.quadruple_gap, of_periods.quadruple_gap, 360
        ) as quadruple_gap
    from placed
    inner join of_segments using (period, segment_code)
    inner join of_periods using (period)
)

select
    *,
    case
        when order_days = 0 then 'prospect'
        when 4 * recency_days >= 6 * quadruple_gap then 'lost'
        when 4 * recency_days >= 3 * quadruple_gap then 'dormant'
        when 8 * recency_days >= 3 * quadruple_gap then 'at_risk'
        when order_days >= 2 and 4 * last_gap >= 3 * quadruple_gap then 'won_back'
        when order_days = 1 then 'new'
        when order_days <= 3 then 'developing'
        else 'active'
    end::enum (
        'prospect', 'lost', 'dormant', 'at_risk', 'won_back', 'new', 'developing', 'active'
    ) as lifecycle_stage
from expected;

create temp macro component(score) as
    (score::decimal(11, 0) * 0.00000001::decimal(8, 8))::decimal(11, 8);

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
    component(scores.value_score) as value_score,
    component(scores.growth_score) as growth_score,
    component(scores.loyalty_score) as loyalty_score,
    component(scores.satisfaction_score) as satisfaction_score,
    component(scores.engagement_score) as engagement_score,
    component(scores.partnership_score) as partnership_score,
    (scores.management_score::decimal(17, 0) * 0.00000000000001::decimal(14, 14))::decimal(18, 14)
        as management_score,
    states.tier_rank,
    states.change_type,
    reviews.segment_code,
    reviews.lifecycle_stage,
    periods.period_end
from scores
inner join states using (customer_key, period)
inner join reviews using (customer_key, period)
inner join customer_keys using (customer_key)
inner join periods using (period);

-- Alerts: what holds at the end of each period, with figures in hundredths, and then the stretches
-- of periods in which it does ----------------------------------------------------------------------

create temp table complaints as
select
    customer_keys.customer_key,
    opened_at::date as opened_on,
    if(closed_at is not null, greatest(closed_at, opened_at)::date, '9999-12-31'::date) as closed_on
from read_parquet(getvariable('raw_path') || '/tickets/*.parquet')
inner join customer_keys using (customer_id)
where ticket_type = 'complaint';

create temp table contacts as
select
    customer_keys.customer_key,
    interaction_type in ('call', 'message') as is_personal,
    occurred_at::date as contact_on
from read_parquet(getvariable('raw_path') || '/interactions/*.parquet')
inner join customer_keys using (customer_id)

union all

select customer_keys.customer_key, false, responded_at::date
from read_parquet(getvariable('raw_path') || '/survey_responses/*.parquet')
inner join customer_keys using (customer_id)

union all

select customer_keys.customer_key, true, opened_at::date
from read_parquet(getvariable('raw_path') || '/tickets/*.parquet')
inner join customer_keys using (customer_id);

-- Whether a ratio, rounded to hundredths, is at least a limit.
create temp macro reaches(part, whole, at_least) as
    200 * part::bigint + whole >= (200 * at_least * whole::bigint)::bigint;

create temp table alert_reviews as
with slowing as (
    select
        customer_key,
        period,
        'purchases_slowing' as alert_code,
        100 * recency_days as value_now,
        50 * double_gap as value_before,
        case
            when reaches(2 * recency_days, double_gap, 6) then null
            when reaches(2 * recency_days, double_gap, 3) and tier_rank >= 3 then 'high'
            when reaches(2 * recency_days, double_gap, 1.5) then 'medium'
        end as severity
    from reviews
    where double_gap > 0
),

dropping as (
    select
        customer_key,
        period,
        'spend_drop' as alert_code,
        recent as value_now,
        older as value_before,
        case
            when reaches(100 * (older - recent), older, 70) and tier_rank >= 3 then 'high'
            when reaches(100 * (older - recent), older, 50) then 'medium'
        end as severity
    from reviews
    where frequency >= 3 and older > recent and is_a_year_old
),

surging as (
    select
        customer_key,
        period,
        'complaint_surge' as alert_code,
        100 * recent as value_now,
        100 * older as value_before,
        case
            when recent - older >= 3 then 'high'
            when recent - older >= 2 then 'medium'
        end as severity
    from (
        select
            complaints.customer_key,
            periods.period,
            count(*) filter (complaints.opened_on > periods.period_end - 90) as recent,
            count(*) filter (complaints.opened_on <= periods.period_end - 90) as older
        from complaints
        inner join periods
            on
                complaints.opened_on <= periods.period_end
                and complaints.opened_on > periods.period_end - 180
        group by all
    )
),

waiting as (
    select
        complaints.customer_key,
        periods.period,
        (max(periods.period_end) - min(complaints.opened_on))::integer as days,
        count(*) as complaints
    from complaints
    inner join periods
        on
            complaints.opened_on <= periods.period_end
            and complaints.closed_on > periods.period_end
    group by all
),

unanswered as (
    select
        waiting.customer_key,
        waiting.period,
        'unanswered_complaint' as alert_code,
        100 * waiting.complaints as value_now,
        100 * coalesce(earlier.complaints, 0) as value_before,
        case
            when waiting.days >= 30 then 'high'
            when waiting.days >= 7 then 'medium'
        end as severity
    from waiting
    left join waiting as earlier
        on waiting.customer_key = earlier.customer_key and waiting.period = earlier.period + 1
),

answers as (
    select
        customer_keys.customer_key,
        periods.period,
        score,
        lead(score) over newest_first as score_before,
        row_number() over newest_first as place
    from read_parquet(getvariable('raw_path') || '/survey_responses/*.parquet')
    inner join customer_keys using (customer_id)
    inner join periods
        on
            responded_at::date <= periods.period_end
            and responded_at::date > periods.period_end - 365
    where survey_type = 'nps'
    window newest_first as (
        partition by customer_keys.customer_key, periods.period
        order by responded_at desc, response_id desc
    )
),

detracting as (
    select
        customer_key,
        period,
        'detractor_in_high_tier' as alert_code,
        100 * answers.score as value_now,
        100 * answers.score_before as value_before,
        case
            when tier_rank >= 4 then 'high'
            when tier_rank = 3 then 'medium'
        end as severity
    from answers
    inner join reviews using (customer_key, period)
    where answers.place = 1 and answers.score < 7
),

falling as (
    select
        customer_key,
        period,
        'downgrade_ahead' as alert_code,
        (management_score + 500000000000) // 1000000000000 as value_now,
        (score_before + 500000000000) // 1000000000000 as value_before,
        case
            when days < 46 and tier_rank >= 4 then 'high'
            when tier_rank >= 3 then 'medium'
            when tier_rank >= 2 then 'low'
        end as severity
    from (
        select
            reviews.*,
            last_day(
                date_trunc('month', periods.period_end)
                + to_months(
                    if(periods.is_open_period, 0, 1)
                    + greatest(3 - reviews.held, 0)
                    + greatest(1 - reviews.grace, 0)
                )
            ) - periods.period_end as days
        from reviews
        inner join periods using (period)
        where reviews.tier_rank > 0 and reviews.kept_rank < reviews.tier_rank
    )
),

silent as (
    select
        customer_key,
        period,
        'silent_high_value' as alert_code,
        100 * silent_days as value_now,
        25 * quadruple_gap as value_before,
        case
            when silent_days >= 120 then 'high'
            when silent_days >= 60 then 'medium'
        end as severity
    from (
        select
            ordered.customer_key,
            ordered.period,
            ordered.quadruple_gap,
            least(ordered.recency_days, ordered.period_end - contacts.contact_on) as silent_days
        from (
            select reviews.*, periods.period_end
            from reviews
            inner join periods using (period)
            where reviews.recency_days >= 60 and reviews.tier_rank >= 4
        ) as ordered
        asof left join contacts
            on
                ordered.customer_key = contacts.customer_key
                and ordered.period_end >= contacts.contact_on
    )
),

-- Periods with revenue, each with those of the year before.
bought as (
    select
        customer_key,
        period,
        period_revenue,
        sum(period_revenue) over year_before as revenue_before,
        count(*) over year_before as periods_before
    from reviews
    where period_revenue > 0
    window year_before as (
        partition by customer_key
        order by period
        range between 12 preceding and 1 preceding
    )
),

unusual as (
    select
        customer_key,
        period,
        'unusually_good_period' as alert_code,
        period_revenue as value_now,
        usual as value_before,
        if(reaches(period_revenue, usual, 2), 'low', null) as severity
    from (
        select
            *,
            (2 * revenue_before + periods_before) // nullif(2 * periods_before, 0) as usual
        from bought
        where periods_before >= 3
    )
    where usual > 0
),

rising as (
    select
        customer_key,
        period,
        'one_order_to_next_tier' as alert_code,
        (management_score + 500000000000) // 1000000000000 as value_now,
        (score_before + 500000000000) // 1000000000000 as value_before,
        'low' as severity
    from reviews
    where rank_with_an_order > tier_rank and tier_rank >= 1
),

candidates as (
    select * from slowing
    union all
    select * from dropping
    union all
    select * from surging
    union all
    select * from unanswered
    union all
    select * from detracting
    union all
    select * from falling
    union all
    select * from silent
    union all
    select * from unusual
    union all
    select * from rising
)

select
    customer_key,
    period,
    alert_code::enum (
        'purchases_slowing', 'spend_drop', 'complaint_surge', 'unanswered_complaint',
        'detractor_in_high_tier', 'downgrade_ahead', 'silent_high_value', 'unusually_good_period',
        'one_order_to_next_tier'
    ) as alert_code,
    severity::enum ('high', 'medium', 'low') as severity,
    value_now::bigint as value_now,
    value_before::bigint as value_before
from candidates
where severity is not null;

create temp macro figure(hundredths) as
    (hundredths::decimal(18, 0) * 0.01::decimal(2, 2))::decimal(18, 2);

create table alerts as
with placed as (
    select
        *,
        period - row_number() over by_period as stretch
    from alert_reviews
    window by_period as (partition by customer_key, alert_code order by period)
),

stretches as (
    select
        customer_key,
        alert_code,
        min(period) as first_period,
        max(period) as last_period,
        arg_max(severity, period) as severity,
        arg_max(value_now, period) as value_now,
        arg_max_null(value_before, period) as value_before
    from placed
    group by customer_key, alert_code, stretch
)

select
    customer_keys.customer_id,
    stretches.alert_code,
    stretches.severity,
    case stretches.alert_code
        when 'purchases_slowing'
            then if(severity = 'high', 'call_slowing_customer', 'remind_to_reorder')
        when 'spend_drop' then 'win_back_spending'
        when 'complaint_surge' then 'review_complaints'
        when 'unanswered_complaint' then 'answer_complaint'
        when 'detractor_in_high_tier' then 'call_detractor'
        when 'downgrade_ahead' then 'remind_of_downgrade'
        when 'silent_high_value' then 'check_in'
        when 'unusually_good_period' then 'offer_more'
        when 'one_order_to_next_tier' then 'invite_to_next_tier'
    end as recommended_action_code,
    figure(stretches.value_now) as value_now,
    figure(stretches.value_before) as value_before,
    following.period is null as is_open,
    raised.period_end as raised_on,
    following.period_end as resolved_on
from stretches
inner join customer_keys using (customer_key)
inner join periods as raised on stretches.first_period = raised.period
left join periods as following on stretches.last_period + 1 = following.period;

-- Actions: what the playbook asks for now. Marketing needs consent, of several entries of an action
-- the first is due, keeping and selling are not due together, and three at most are due ------------

create temp table playbook as
select
    *,
    action_code <> 'none' and (priority between 50 and 120 or priority >= 140) and priority <> 160
        as is_marketing
from (
    values
    (10, 'answer_complaint', 'customer_service', 'phone', 'service_recovery', 'protect',
        0, 5, null, null, 'unanswered_complaint'),
    (20, 'review_complaints', 'customer_service', 'phone', 'service_recovery', 'protect',
        0, 5, null, null, 'complaint_surge'),
    (30, 'call_detractor', 'account_management', 'phone', null, 'protect',
        0, 5, null, null, 'detractor_in_high_tier'),
    (40, 'check_in', 'account_management', 'phone', null, 'protect',
        0, 5, null, null, 'silent_high_value'),
    (50, 'call_slowing_customer', 'account_management', 'phone', null, 'protect',
        3, 5, null, null, 'purchases_slowing'),
    (60, 'remind_to_reorder', 'marketing', 'email', 'reorder_reminder', 'protect',
        0, 2, null, null, 'purchases_slowing'),
    (70, 'win_back_spending', 'marketing', 'sms', 'win_back_discount', 'protect',
        0, 5, null, null, 'spend_drop'),
    (80, 'remind_of_downgrade', 'marketing', 'email', 'bonus_points', 'protect',
        0, 5, null, null, 'downgrade_ahead'),
    (90, 'rescue_valued_customer', 'account_management', 'phone', 'win_back_discount', 'protect',
        0, 5, 'cant_lose', null, null),
    (100, 'win_back_lost', 'marketing', 'email', 'win_back_discount', 'protect',
        0, 5, null, 'lost', null),
    (110, 'wake_dormant', 'marketing', 'email', 'free_shipping', 'protect',
        0, 5, null, 'dormant', null),
    (120, 'reassure_at_risk', 'marketing', 'email', 'free_shipping', 'protect',
        0, 5, null, 'at_risk', null),
    (130, 'welcome_new', 'customer_service', 'email', 'welcome_guide', 'neutral',
        0, 5, null, 'new', null),
    (140, 'invite_second_order', 'marketing', 'email', 'second_order_discount', 'expand',
        0, 5, null, 'new', null),
    (150, 'welcome_back', 'marketing', 'email', 'loyalty_points', 'neutral',
        0, 5, null, 'won_back', null),
    (160, 'vip_service', 'account_management', 'phone', 'dedicated_contact', 'neutral',
        4, 5, null, null, null),
    (170, 'exclusive_offer', 'marketing', 'email', 'exclusive_preview', 'expand',
        4, 5, 'champions', null, null),
    (180, 'invite_to_next_tier', 'marketing', 'app', 'upgrade_bonus', 'expand',
        0, 5, null, null, 'one_order_to_next_tier'),
    (190, 'offer_more', 'sales', 'email', 'cross_sell_bundle', 'expand',
        0, 5, null, null, 'unusually_good_period'),
    (200, 'grow_promising', 'marketing', 'email', 'cross_sell_bundle', 'expand',
        0, 5, 'promising', null, null),
    (210, 'grow_promising', 'marketing', 'email', 'cross_sell_bundle', 'expand',
        0, 5, 'potential_loyalists', null, null),
    (220, 'reward_loyal', 'marketing', 'app', 'loyalty_points', 'neutral',
        0, 5, 'loyal', null, null),
    (230, 'activate_low_tier', 'marketing', 'sms', 'second_order_discount', 'expand',
        1, 2, null, 'developing', null),
    (240, 'activate_low_tier', 'marketing', 'sms', 'free_shipping', 'expand',
        1, 2, null, 'active', null),
    (250, 'invite_first_order', 'sales', 'email', 'first_order_discount', 'expand',
        0, 5, null, 'prospect', null),
    (1000, 'none', null, null, null, 'neutral',
        0, 5, null, null, null)
) as entries (
    priority, action_code, owner_department, channel, offer, stance,
    rank_from, rank_to, segment, stage, alert
);

create table actions as
with customers as (
    select
        customer_keys.customer_key,
        customer_keys.customer_id,
        coalesce(marketing_consent, false) as is_contactable,
        coalesce(reviews.segment_code::varchar, 'prospect') as segment,
        coalesce(reviews.lifecycle_stage::varchar, 'prospect') as stage,
        coalesce(reviews.tier_rank, 0) as tier_rank
    from read_parquet(getvariable('raw_path') || '/customers/*.parquet')
    inner join customer_keys using (customer_id)
    left join reviews
        on
            customer_keys.customer_key = reviews.customer_key
            and reviews.period = (select max(period) from periods)
),

due as (
    select
        customers.*,
        playbook.priority,
        playbook.action_code,
        playbook.stance
    from customers
    inner join playbook
        on
            tier_rank between rank_from and rank_to
            and customers.segment = coalesce(playbook.segment, customers.segment)
            and customers.stage = coalesce(playbook.stage, customers.stage)
            and (is_contactable or not is_marketing)
    where playbook.alert is null
    union all
    select
        customers.*,
        playbook.priority,
        playbook.action_code,
        playbook.stance
    from customers
    inner join alert_reviews
        on
            customers.customer_key = alert_reviews.customer_key
            and alert_reviews.period = (select max(period) from periods)
    inner join playbook
        on
            alert_reviews.alert_code::varchar = playbook.alert
            and tier_rank between rank_from and rank_to
            and (is_contactable or not is_marketing)
),

first_of_action as (
    select distinct on (customer_key, action_code) *
    from due
    order by customer_key, action_code, priority
),

-- The more urgent of keeping and selling decides.
unopposed as (
    select *
    from first_of_action
    qualify
        stance = 'neutral'
        or stance = arg_min(stance, priority) filter (stance <> 'neutral')
            over (partition by customer_key)
),

kept as (
    select *
    from unopposed
    qualify
        row_number() over (partition by customer_key order by priority) = 1
        or action_code <> 'none'
        and row_number() over (partition by customer_key order by priority) <= 3
),

last_contacts as (
    select
        customer_key,
        max(contact_on) as last_contact_on
    from contacts
    where is_personal and contact_on <= getvariable('as_of_date')::date
    group by all
)

select
    kept.customer_id,
    kept.action_code,
    playbook.owner_department,
    playbook.channel,
    playbook.offer,
    kept.stance,
    kept.priority,
    playbook.is_marketing,
    kept.is_contactable,
    case
        when kept.action_code = 'none' then null
        when playbook.alert is not null then getvariable('as_of_date')::date
        else coalesce(
            last_contact_on
            + [90, 90, 60, 45, 30, 14][kept.tier_rank + 1],
            getvariable('as_of_date')::date
        )
    end as due_on,
    last_contact_on
from kept
inner join playbook on kept.priority = playbook.priority
left join last_contacts on kept.customer_key = last_contacts.customer_key;
