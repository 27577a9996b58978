"""Generate the benchmark's raw tables: an invented shop's customers, orders and refunds (Parquet).

Every value is derived from the hash of an id, a purpose and the seed, never from a random stream,
and rows are numbered after sorting. The same size and seed therefore give the same rows in the same
order whatever the number of threads. DuckDB's hash may change between its releases: compare
figures within one release.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from typing import Annotated

import duckdb
import typer

DATA = Path(__file__).parent / "data"
FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2025, 12, 15)


@dataclass(frozen=True)
class Size:
    """How many customers and orders a benchmark size has."""

    customers: int
    orders: int


SIZES = {
    "100k": Size(customers=10_000, orders=100_000),
    "1m": Size(customers=100_000, orders=1_000_000),
    "10m": Size(customers=1_000_000, orders=10_000_000),
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

CUSTOMERS = Template(
    """
select
    'C' || lpad(number::varchar, 7, '0') as customer_id,
    'person' as customer_type,
    'Customer ' || number as full_name,
    'customer' || number || '@example.com' as email,
    date '1945-01-01' + floor(unit(number, 'birth') * 22000)::int as birth_date,
    case when unit(number, 'gender') < 0.5 then 'female' else 'male' end as gender,
    'CN' as country_code,
    'City ' || (1 + floor(40 * unit(number, 'city') * unit(number, 'city')))::int as city,
    case
        when unit(number, 'found by') < 0.5 then 'search'
        when unit(number, 'found by') < 0.8 then 'social'
        else 'friends'
    end as acquisition_channel,
    instant(start_day - 5 * unit(number, 'signed up')) as signed_up_at,
    unit(number, 'consent') < 0.6 as marketing_consent,
    instant($days) as updated_at
from shoppers
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
    'C' || lpad(number::varchar, 7, '0') as customer_id,
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


def generate(size: str, seed: int = 1) -> Path:
    """Write the raw tables of one size under bench/data, unless they are there already.

    Args:
        size: a key of SIZES.
        seed: any whole number; another seed gives another shop of the same size.

    Returns:
        The folder that holds customers.parquet, orders.parquet and refunds.parquet.
    """
    folder = DATA / f"{size}-{seed}"
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(".unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    database = unfinished / "work.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        values = {
            "seed": seed,
            "days": (LAST_DAY - FIRST_DAY).days + 1,
            "first_day": FIRST_DAY,
            "customers": SIZES[size].customers,
            "orders": SIZES[size].orders,
        }
        for step in (MACROS, SHOPPERS, ORDERS, SOLD):
            connection.execute(step.substitute(values))
        for table, query in (
            ("customers", CUSTOMERS),
            ("orders", ORDERS_FILE),
            ("refunds", REFUNDS),
        ):
            connection.execute(
                f"copy ({query.substitute(values)}) to '{unfinished / table}.parquet' "
                "(format parquet, compression zstd)"
            )
    database.unlink()
    unfinished.rename(folder)
    return folder


def main(
    size: Annotated[str, typer.Argument(help=f"one of {', '.join(SIZES)}")],
    seed: Annotated[int, typer.Option(help="another seed gives another shop")] = 1,
) -> None:
    """Generate the raw tables of one size."""
    if size not in SIZES:
        raise typer.BadParameter(f"size is {size}; allowed: {', '.join(SIZES)}")
    typer.echo(generate(size, seed))


if __name__ == "__main__":
    typer.run(main)
