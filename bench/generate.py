"""Generate the benchmark's raw tables, those of an invented shop (Parquet).

There are as many order lines, products, contacts, tickets, survey answers, referrals, balances,
attributes, campaigns' contacts and companies with a parent per order or customer as in the sample
company. One currency, no merged customers, no faulty rows.

Every value is derived from the hash of an id, a purpose and the seed, never from a random stream,
and rows are numbered after sorting. The same size and seed therefore give the same rows in the same
order whatever the number of threads. DuckDB's hash may change between its releases: compare
figures within one release.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from typing import Annotated

import duckdb
import typer

DATA = Path(__file__).parent / "data"
LAST_DAY = date(2025, 12, 15)  # of the open month
CLOSED_PERIODS = 36


def first_day(closed_periods: int) -> date:
    """The first day of a history with so many closed months."""
    months = 12 * LAST_DAY.year + LAST_DAY.month - 1 - closed_periods
    return date(months // 12, months % 12 + 1, 1)


@dataclass(frozen=True)
class Size:
    """How many customers and orders a benchmark size has; a younger shop has fewer orders, as many a month."""

    customers: int
    orders: int

    def aged(self, closed_periods: int) -> Size:
        """The size of the shop after so many closed months."""
        return Size(self.customers, self.orders * closed_periods // CLOSED_PERIODS)

    @property
    def products(self) -> int:
        """64 per 1,000 customers, as in the sample company."""
        return max(14, self.customers * 64 // 1000)


SIZES = {
    "100k": Size(customers=10_000, orders=100_000),
    "1m": Size(customers=100_000, orders=1_000_000),
    "10m": Size(customers=1_000_000, orders=10_000_000),
    "100m": Size(customers=10_000_000, orders=100_000_000),
}

# unit(key, purpose): an even draw in [0, 1); normal(key, purpose): a standard normal draw.
MACROS = Template(
    """
create or replace macro unit(key, purpose) as
    (hash(key, purpose, $seed) >> 11)::double / 9007199254740992;

create or replace macro normal(key, purpose) as
    sqrt(-2 * ln(1 - unit(key, purpose))) * cos(2 * pi() * unit(key, purpose || ' angle'));

create or replace macro money(amount) as
    greatest(1.00, round(amount, 2))::decimal(18, 2);

create or replace macro instant(days) as
    timestamp '$first_day' + to_seconds(floor(days * 86400)::bigint);

create or replace macro later(moment, days) as
    moment + to_seconds(floor(days * 86400)::bigint);

-- Where line `number` of `lines` ends in an order's amount, from 0 to 1.
create or replace macro line_end(draw, number, lines) as
    case
        when number = 0 or number = lines then number / lines
        else (number + 0.8 * (unit(draw, 'line ' || number) - 0.5)) / lines
    end;
"""
)

# How each customer behaves. Days count from the first day of the data.
# weight: log-normal, so that few customers make most of the orders; shape: below 1 orders grow more
# frequent with time, above 1 they fade.
SHOPPERS = Template(
    """
create or replace temp table shoppers as
with lives as (
    select
        number,
        case
            when unit(number, 'is founding') < 0.35 then 0
            else floor(unit(number, 'starts') * ($days - 15))
        end as start_day,
        case
            when unit(number, 'leaves') < 0.45 then 30 - 400 * ln(1 - unit(number, 'life'))
            else 1e6
        end as life_days,
        exp(1.4 * normal(number, 'orders')) as pace,
        exp(4.5 + 0.8 * normal(number, 'spend')) as usual_amount,
        case
            when unit(number, 'shape') < 0.20 then 0.6
            when unit(number, 'shape') < 0.45 then 1.8
            else 1.0
        end as shape
    from range(1, $customers + 1) as numbers (number)
),

spans as (
    select
        *,
        least(life_days, $days - start_day) as span_days,
        (1000 * pace * (0.2 + least(life_days, $days - start_day) / $days))::bigint + 1 as weight
    from lives
),

-- Whole orders in proportion to the weight, adding up to the wanted number exactly.
shares as (
    select
        *,
        sum(weight) over (order by number) as weight_to_here,
        sum(weight) over () as weight_of_all
    from spans
)

select
    number,
    start_day,
    span_days,
    usual_amount,
    shape,
    (weight_to_here * $orders // weight_of_all)::bigint
    - ((weight_to_here - weight) * $orders // weight_of_all)::bigint as order_count
from shares
order by number
"""
)

# Every fifth customer is a company. Of 35 companies one owns four others, one of which owns a sixth.
CUSTOMERS = Template(
    """
with placed as (
    select
        *,
        number % 5 = 0 as is_company,
        case when number % 5 = 0 then number // 5 % 35 end as place
    from shoppers
)

select
    'C' || lpad(number::varchar, 8, '0') as customer_id,
    case when is_company then 'company' else 'person' end as customer_type,
    'Customer ' || number as full_name,
    'customer' || number || '@example.com' as email,
    case
        when not is_company then date '1945-01-01' + floor(unit(number, 'birth') * 22000)::int
    end as birth_date,
    case
        when not is_company and unit(number, 'gender') < 0.5 then 'female'
        when not is_company then 'male'
    end as gender,
    'CN' as country_code,
    'Region ' || (1 + floor(12 * unit(number, 'city') * unit(number, 'city')))::int as region,
    'City ' || (1 + floor(40 * unit(number, 'city') * unit(number, 'city')))::int as city,
    case
        when is_company
            then
                list_value(
                    'technology', 'health', 'logistics', 'retail', 'hospitality', 'education',
                    'manufacturing', 'finance'
                )[1 + floor(8 * unit(number, 'industry'))::int]
    end as industry,
    case
        when is_company
            then
                list_value('1-9', '10-49', '50-249', '250+')[
                    1 + floor(4 * unit(number, 'size'))::int
                ]
    end as company_size,
    case
        when place between 1 and 4 and number > 5 * place
            then 'C' || lpad((number - 5 * place)::varchar, 8, '0')
        when place = 5 and number > 5 then 'C' || lpad((number - 5)::varchar, 8, '0')
    end as parent_customer_id,
    case
        when unit(number, 'found by') < 0.5 then 'search'
        when unit(number, 'found by') < 0.8 then 'social'
        else 'friends'
    end as acquisition_channel,
    instant(start_day - 5 * unit(number, 'signed up')) as signed_up_at,
    unit(number, 'consent') < 0.6 as marketing_consent,
    instant($days) as updated_at
from placed
order by number
"""
)

# position: where in the customer's span the order lies. Orders are numbered in order of time.
ORDERS = Template(
    """
create or replace temp table placed as
with placed as (
    select
        number,
        ordinal,
        hash(number, ordinal, $seed) as draw,
        start_day,
        span_days,
        usual_amount,
        shape
    from (select *, unnest(range(order_count)) as ordinal from shoppers)
),

dated as (
    select
        number,
        ordinal,
        draw,
        instant(start_day + span_days * pow(unit(draw, 'position'), shape)) as ordered_at,
        money(usual_amount * exp(0.7 * normal(draw, 'amount'))) as order_amount,
        unit(draw, 'status') as status_draw
    from placed
)

select
    case when unit(draw, 'is guest') >= 0.01 then number end as number,
    draw,
    status_draw,
    order_amount,
    ordered_at
from dated
order by ordered_at, dated.number, ordinal
"""
)

# Status: 1 % cancelled before they counted, 1 % cancelled later, 0.5 % returned without refund
# rows, 0.3 % still pending, the rest completed. What would happen after the last day has not yet.
SOLD = Template(
    """
create or replace temp table sold as
with events as (
    select
        'O' || lpad((rowid + 1)::varchar, 9, '0') as order_id,
        number,
        draw,
        status_draw,
        order_amount,
        ordered_at,
        ordered_at + to_seconds((3600 + 259200 * unit(draw, 'cancelled'))::bigint) as cancelled_at,
        ordered_at + to_seconds((86400 * (2 + 40 * unit(draw, 'returned')))::bigint) as returned_at
    from placed
),

settled as (
    select
        * exclude (cancelled_at, returned_at),
        case
            when status_draw < 0.010 then 'cancelled'
            when status_draw < 0.020 and cancelled_at < instant($days) then 'cancelled'
            when status_draw < 0.025 and status_draw >= 0.020 and returned_at < instant($days)
                then 'returned'
            when status_draw >= 0.997 then 'pending'
            else 'completed'
        end as status,
        cancelled_at,
        returned_at
    from events
)

select
    order_id,
    number,
    'C' || lpad(number::varchar, 8, '0') as customer_id,
    draw,
    status,
    case when unit(draw, 'channel') < 0.7 then 'online' else 'store' end as channel,
    order_amount,
    unit(draw, 'is test') < 0.0005 as is_test,
    ordered_at,
    case when status = 'cancelled' and status_draw >= 0.010 then cancelled_at end as cancelled_at,
    case when status = 'returned' then returned_at end as returned_at
from settled
order by order_id
"""
)

ORDERS_FILE = Template(
    """
select
    order_id,
    customer_id,
    ordered_at,
    status,
    order_amount,
    'CNY' as currency_code,
    channel,
    is_test,
    cancelled_at,
    returned_at,
    coalesce(cancelled_at, returned_at, ordered_at) as updated_at
from sold
order by order_id
"""
)

# 5 % of completed orders: 45 % of these in full, 40 % in part, 15 % in two parts that make the
# whole; seven of ten within a month, the others up to 300 days later.
REFUNDS = Template(
    """
with refunded as (
    select
        order_id,
        draw,
        order_amount,
        ordered_at,
        unit(draw, 'refund kind') as kind,
        case
            when unit(draw, 'refund late') < 0.7 then 1 + 29 * unit(draw, 'refund day')
            else 60 + 240 * unit(draw, 'refund day')
        end as delay_days,
        least(
            order_amount, money(order_amount * (0.1 + 0.8 * unit(draw, 'refund share')))
        ) as part
    from sold
    where status = 'completed' and unit(draw, 'refund') < 0.05
),

parts as (
    select
        order_id,
        1 as ordinal,
        ordered_at + to_seconds((86400 * delay_days)::bigint) as refunded_at,
        case when kind < 0.45 then order_amount else part end as refund_amount
    from refunded

    union all

    select
        order_id,
        2 as ordinal,
        ordered_at + to_seconds((86400 * (delay_days + 20))::bigint) as refunded_at,
        (order_amount - part)::decimal(18, 2) as refund_amount
    from refunded
    where kind >= 0.85
)

select
    'R' || lpad((row_number() over (order by order_id, ordinal))::varchar, 9, '0') as refund_id,
    order_id,
    refunded_at,
    refund_amount
from parts
where refunded_at < instant($days) and refund_amount > 0
order by refund_id
"""
)

# 14 categories: nine of products, three of services, two of solutions; 2 % of products have none.
PRODUCTS = Template(
    """
with placed as (
    select
        number,
        1 + (number - 1) * 14 // $products as category_number
    from range(1, $products + 1) as numbers (number)
)

select
    'P' || lpad(number::varchar, 7, '0') as product_id,
    'Product ' || number as product_name,
    case
        when unit(number, 'has category') >= 0.02 then 'Category ' || category_number
    end as category,
    case
        when category_number <= 9 then 'product'
        when category_number <= 12 then 'service'
        else 'solution'
    end as product_type
from placed
order by product_id
"""
)

# 7 % of orders have no lines, the others 1 to 5, which add up to the order's amount. A customer
# buys from about a third of the assortment, and solutions seldom.
ORDER_ITEMS = Template(
    """
with counted as (
    select
        order_id,
        draw,
        order_amount,
        unit(coalesce(number, draw), 'taste') as taste,
        case
            when unit(draw, 'has lines') < 0.07 then 0
            when unit(draw, 'lines') < 0.497 then 1
            when unit(draw, 'lines') < 0.844 then 2
            when unit(draw, 'lines') < 0.966 then 3
            when unit(draw, 'lines') < 0.994 then 4
            else 5
        end as lines
    from sold
),

lined as (
    select
        *,
        unnest(range(1, lines + 1)) as line_number
    from counted
)

select
    order_id,
    line_number,
    'P' || lpad(
        (1 + floor(
            $products * 0.86 * ((taste + 0.35 * unit(draw, 'product ' || line_number)) % 1)
        ))::bigint::varchar,
        7, '0'
    ) as product_id,
    (1 + floor(-ln(1 - unit(draw, 'quantity ' || line_number)) / 1.8))::decimal(18, 3) as quantity,
    (
        round(order_amount * line_end(draw, line_number, lines), 2)::decimal(18, 2)
        - round(order_amount * line_end(draw, line_number - 1, lines), 2)::decimal(18, 2)
    )::decimal(18, 2) as line_amount
from lined
order by order_id, line_number
"""
)

# Contacts lie within 12 days of an order; most customers make few, some many.
INTERACTIONS = Template(
    """
with eager as (
    select
        order_id,
        customer_id,
        draw,
        ordered_at,
        least(4, 0.19 * exp(1.1 * normal(number, 'contacts'))) as eagerness
    from sold
    where number is not null
),

contacts as (
    select
        *,
        unnest(range(floor(eagerness + unit(draw, 'contacts'))::int)) as ordinal
    from eager
),

placed as (
    select
        'I' || order_id[2:] || '-' || ordinal as interaction_id,
        customer_id,
        hash(draw, ordinal, $seed) as draw,
        later(ordered_at, 24 * unit(draw, 'contact ' || ordinal) - 12) as occurred_at,
        unit(draw, 'contact channel ' || ordinal) as channel_draw
    from contacts
),

kinds as (
    select
        *,
        case
            when channel_draw < 0.38 then 'app'
            when channel_draw < 0.54 then 'store'
            when channel_draw < 0.77 then 'phone'
            else 'web'
        end as channel,
        case
            when channel_draw < 0.38 then 'usage'
            when channel_draw < 0.54 then 'visit'
            when unit(draw, 'kind') < 0.5 then 'call'
            else 'message'
        end as interaction_type
    from placed
)

select
    interaction_id,
    customer_id,
    occurred_at,
    channel,
    interaction_type,
    case
        when interaction_type <> 'message' then 60 * (1 + floor(60 * unit(draw, 'minutes')))::bigint
    end as duration_seconds
from kinds
where occurred_at < instant($days)
order by occurred_at, interaction_id
"""
)

# A ticket after 6 % of orders, half of them complaints; one in twenty stays open, and of the closed
# three in five are rated.
TICKETS = Template(
    """
with opened as (
    select
        'T' || order_id[2:] as ticket_id,
        customer_id,
        draw,
        later(ordered_at, 10 * unit(draw, 'opened')) as opened_at,
        case
            when unit(draw, 'ticket kind') < 0.53 then 'complaint'
            when unit(draw, 'ticket kind') < 0.89 then 'question'
            else 'suggestion'
        end as ticket_type
    from sold
    where number is not null and unit(draw, 'ticket') < 0.06
),

ended as (
    select
        *,
        case
            when unit(draw, 'stays open') >= 0.05
                then later(opened_at, 0.05 + 6 * unit(draw, 'closed'))
        end as closed_at
    from opened
)

select
    ticket_id,
    customer_id,
    opened_at,
    case when closed_at < instant($days) then closed_at end as closed_at,
    ticket_type,
    case when ticket_type = 'complaint' then 'high' else 'low' end as severity,
    case
        when closed_at < instant($days) and unit(draw, 'is rated') < 0.6
            then
                if(ticket_type = 'complaint', 1, 3)
                + floor(3 * unit(draw, 'ticket score'))::bigint
    end as satisfaction_score
from ended
where opened_at < instant($days)
order by opened_at, ticket_id
"""
)

# Would they recommend (nps) after 6 % of orders, satisfaction (csat) after 5 %.
SURVEY_RESPONSES = Template(
    """
with answers as (
    select
        'V' || order_id[2:] || '-' || survey_type as response_id,
        customer_id,
        later(ordered_at, 1 + 19 * unit(draw, survey_type || ' day')) as responded_at,
        survey_type,
        lowest,
        highest,
        (0.75 + 0.17 * normal(number, 'content') + 0.12 * normal(draw, survey_type || ' score'))
        * highest as score
    from sold
    inner join (values ('nps', 0.06, 0, 10), ('csat', 0.05, 1, 5))
        as surveys (survey_type, share, lowest, highest)
        on unit(draw, survey_type) < share
    where number is not null
)

select
    response_id,
    customer_id,
    responded_at,
    survey_type,
    greatest(lowest, least(highest, round(score)))::bigint as score
from answers
where responded_at < instant($days)
order by responded_at, response_id
"""
)

# Two in three newcomers whom friends have brought were referred by a customer of the first day.
REFERRALS = Template(
    """
with founders as (
    select
        number,
        row_number() over (order by number) as place
    from shoppers
    where start_day = 0
),

first_orders as (
    select
        number,
        min(ordered_at) as ordered_at
    from placed
    where number is not null
    group by number
),

newcomers as (
    select
        shoppers.number,
        shoppers.start_day,
        unit(shoppers.number, 'answered') < 0.89 as has_answered,
        first_orders.ordered_at,
        1 + floor(
            unit(shoppers.number, 'referrer') * (select count(*) from founders)
        )::bigint as referrer_place
    from shoppers
    left join first_orders using (number)
    where
        shoppers.start_day > 0
        and unit(shoppers.number, 'found by') >= 0.8
        and unit(shoppers.number, 'is referred') < 0.65
)

select
    'F' || lpad(newcomers.number::varchar, 8, '0') as referral_id,
    'C' || lpad(founders.number::varchar, 8, '0') as referrer_customer_id,
    case when has_answered then 'C' || lpad(newcomers.number::varchar, 8, '0') end
        as referred_customer_id,
    instant(newcomers.start_day - 9 * unit(newcomers.number, 'asked')) as referred_at,
    case when has_answered then newcomers.ordered_at end as converted_at
from newcomers
inner join founders on newcomers.referrer_place = founders.place
order by referred_at, referral_id
"""
)

# One in nine customers has an account; its balance is known every 91 days, on a day of its own.
ACCOUNT_BALANCES = Template(
    """
with accounts as (
    select
        number,
        start_day,
        exp(7 + 1.2 * normal(number, 'balance')) as usual_balance,
        floor(91 * unit(number, 'balance day'))::int as first_day
    from shoppers
    where unit(number, 'has account') < 0.115
),

known as (
    select
        *,
        unnest(range(first_day, $days, 91)) as day
    from accounts
)

select
    'C' || lpad(number::varchar, 8, '0') as customer_id,
    'A' || lpad(number::varchar, 8, '0') as account_id,
    date '$first_day' + day::int as balance_date,
    (
        case when unit(number, 'overdrawn ' || day) < 0.01 then -1 else 1 end
        * money(usual_balance * exp(0.4 * normal(number, 'balance ' || day)))
    )::decimal(18, 2) as balance_amount,
    'CNY' as currency_code
from known
where day >= start_day
order by balance_date, customer_id
"""
)

# One or two of three attributes of a third of the customers, recorded when they came.
CUSTOMER_ATTRIBUTES = Template(
    """
with described as (
    select
        number,
        start_day,
        attribute,
        rank() over (
            partition by number order by unit(number, attribute), attribute
        ) as place,
        1 + floor(2 * unit(number, 'attributes'))::int as attributes
    from shoppers
    cross join (values ('interest'), ('lifestyle'), ('preferred_contact')) as named (attribute)
    where unit(number, 'is described') < 0.335
)

select
    'C' || lpad(number::varchar, 8, '0') as customer_id,
    attribute,
    attribute || ' ' || (1 + floor(5 * unit(number, attribute || ' value')))::int as value,
    instant(start_day) as updated_at
from described
where place <= attributes
order by customer_id, attribute
"""
)

# Campaigns a hundred days apart, and one that begins the day after.
CAMPAIGNS = Template(
    """
select
    'K' || lpad(least(number, $campaigns)::varchar, 2, '0')
    || case when number > $campaigns then 'n' else '' end as campaign_id,
    'Campaign ' || number as campaign_name,
    case when unit(number, 'campaign channel') < 0.6 then 'app' else 'email' end as channel,
    date '$first_day' + if(number <= $campaigns, 100 * number - 20, $days)::int as starts_on,
    date '$first_day' + if(number <= $campaigns, 100 * number, $days + 20)::int as ends_on,
    case when unit(number, 'goal') < 0.5 then 'upsell' else 'win_back' end as goal,
    case when unit(number, 'goal') < 0.2 then 'gold' end as target_tier_code,
    money(200000 + 2800000 * unit(number, 'cost')) as cost_amount
from range(1, $campaigns + 2) as numbers (number)
order by campaign_id
"""
)

# A tenth of the customers of the time are contacted, one in five of them held out.
CAMPAIGN_CONTACTS = Template(
    """
select
    'K' || lpad(campaigns.number::varchar, 2, '0') as campaign_id,
    'C' || lpad(shoppers.number::varchar, 8, '0') as customer_id,
    instant(100 * campaigns.number - 20 + 4 * unit(shoppers.number, 'contacted ' || campaigns.number))
        as contacted_at,
    case
        when unit(shoppers.number, 'held out ' || campaigns.number) < 0.175 then 'holdout'
        else 'treatment'
    end as contact_group
from shoppers
inner join range(1, $campaigns + 1) as campaigns (number)
    on
        shoppers.start_day < 100 * campaigns.number - 20
        and unit(shoppers.number, 'campaign ' || campaigns.number) < 0.135
order by contacted_at, customer_id
"""
)

TABLES = {
    "customers": CUSTOMERS,
    "orders": ORDERS_FILE,
    "order_items": ORDER_ITEMS,
    "products": PRODUCTS,
    "refunds": REFUNDS,
    "interactions": INTERACTIONS,
    "tickets": TICKETS,
    "survey_responses": SURVEY_RESPONSES,
    "referrals": REFERRALS,
    "account_balances": ACCOUNT_BALANCES,
    "customer_attributes": CUSTOMER_ATTRIBUTES,
    "campaigns": CAMPAIGNS,
    "campaign_contacts": CAMPAIGN_CONTACTS,
}


def generate(size: str, closed_periods: int = CLOSED_PERIODS, seed: int = 1) -> Path:
    """Write the raw tables of one size under bench/data, unless they are there already.

    Args:
        size: a key of SIZES.
        closed_periods: the shop's age, in closed months.
        seed: any whole number; another seed gives another shop of the same size.

    Returns:
        The folder that holds a Parquet file per table of TABLES.
    """
    folder = DATA / f"{size}-{closed_periods}-{seed}"
    if all((folder / f"{table}.parquet").exists() for table in TABLES):
        return folder
    unfinished = folder.with_suffix(".unfinished")
    for path in (folder, unfinished):
        shutil.rmtree(path, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_tables(unfinished, SIZES[size].aged(closed_periods), closed_periods, seed)
    unfinished.rename(folder)
    return folder


def write_tables(folder: Path, size: Size, closed_periods: int, seed: int) -> None:
    """Write a Parquet file per table of TABLES into a folder that is there."""
    database = folder / "work.duckdb"
    days = (LAST_DAY - first_day(closed_periods)).days + 1
    with duckdb.connect(str(database)) as connection:
        values = {
            "seed": seed,
            "days": days,
            "first_day": first_day(closed_periods),
            "campaigns": (days + 15) // 100,
            "customers": size.customers,
            "orders": size.orders,
            "products": size.products,
        }
        for step in (MACROS, SHOPPERS, ORDERS, SOLD):
            connection.execute(step.substitute(values))
        for table, query in TABLES.items():
            connection.execute(
                f"copy ({query.substitute(values)}) to '{folder / table}.parquet' "
                "(format parquet, compression zstd)"
            )
    database.unlink()


def main(
    size: Annotated[str, typer.Argument(help=f"one of {', '.join(SIZES)}")],
    closed_periods: Annotated[int, typer.Option(help="age in closed months")] = CLOSED_PERIODS,
    seed: Annotated[int, typer.Option(help="another seed gives another shop")] = 1,
) -> None:
    """Generate the raw tables of one size."""
    if size not in SIZES:
        raise typer.BadParameter(f"size is {size}; allowed: {', '.join(SIZES)}")
    typer.echo(generate(size, closed_periods, seed))


if __name__ == "__main__":
    typer.run(main)
