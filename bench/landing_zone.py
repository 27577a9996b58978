"""The landing zone of the generated shop, and the files that arrive there day by day."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import duckdb

from bench.generate import LAST_DAY, TABLES

# The tables that grow from day to day: the id that new rows have anew, and their times, the first of which dates a row.
GROWING = {
    "orders": ("order_id", ["ordered_at", "cancelled_at", "returned_at", "updated_at"]),
    "refunds": ("refund_id", ["refunded_at"]),
    "interactions": ("interaction_id", ["occurred_at"]),
    "tickets": ("ticket_id", ["opened_at", "closed_at"]),
    "survey_responses": ("response_id", ["responded_at"]),
    "referrals": ("referral_id", ["referred_at", "converted_at"]),
    "account_balances": ("", ["balance_date"]),  # of the accounts that are there
    "campaign_contacts": ("campaign_id", ["contacted_at"]),  # of the campaign that then begins
}
LATE_DAYS = 40


def lay_out(tables: Path, raw: Path) -> None:
    """Lay the generated tables out as a landing zone, to which files are added."""
    for table in TABLES:
        (raw / table).mkdir(parents=True)
        os.link(tables / f"{table}.parquet", raw / table / "history.parquet")


def add_day(raw: Path, day: date) -> None:
    """Add a file of a day's rows to each table of a landing zone that grows.

    They are those of the newest day of the history, under new ids or of the same accounts, but for
    refunds that could take back more than the order's amount. The first day after the history is that
    on which a campaign begins.
    """
    history = {table: f"'{raw / table / 'history.parquet'}'" for table in TABLES}
    suffix = f"-{day:%m%d}"
    with duckdb.connect() as connection:

        def add(table: str, replaced: str, condition: str) -> None:
            connection.execute(
                f"copy (select * replace ({replaced}) from {history[table]} where {condition}) "
                f"to '{raw / table / f'{day}.parquet'}' (format parquet)"
            )

        refundable = (
            f"select order_id from {history['refunds']} as refunds "
            f"inner join {history['orders']} as orders using (order_id) "
            "group by order_id, order_amount having 3 * sum(refund_amount) <= order_amount"
        )
        for table, (key, times) in GROWING.items():
            if table == "campaign_contacts" and day > LAST_DAY + timedelta(days=1):
                continue
            (newest,) = connection.execute(
                f"select max({times[0]})::date from {history[table]}"
            ).fetchone()
            later = (
                f"({time} + to_days({(day - newest).days})){'::date' if time.endswith('_date') else ''} as {time}"
                for time in times
            )
            condition = f"{times[0]}::date = date '{newest}'"
            if table == "refunds":
                condition += f" and order_id in ({refundable})"
            end_of_id = "n" if table == "campaign_contacts" else suffix
            ids = [f"{key} || '{end_of_id}' as {key}"] if key else []
            add(table, ", ".join([*ids, *later]), condition)
        new_orders = f"select order_id from '{raw / 'orders' / f'{day}.parquet'}'"
        add(
            "order_items",
            f"order_id || '{suffix}' as order_id",
            f"order_id || '{suffix}' in ({new_orders})",
        )


def add_order(raw: Path, day: date, name: str) -> str:
    """Add a file of one completed order of a day; gives the customer who is known to have ordered it."""
    history, file = raw / "orders" / "history.parquet", raw / "orders" / f"{name}.parquet"
    moment = f"timestamp '{day} 12:00:00'"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace ('O-{name}' as order_id, {moment} as ordered_at, "
            f"{moment} as updated_at) from '{history}' where status = 'completed' "
            "and customer_id is not null and not is_test and ordered_at < "
            f"{moment} - interval 1 day order by ordered_at desc, order_id limit 1) "
            f"to '{file}' (format parquet)"
        )
        (customer_id,) = connection.execute(f"select customer_id from '{file}'").fetchone()
    return customer_id


def raw_rows(raw: Path) -> dict[str, int]:
    """The number of rows of each raw table."""
    with duckdb.connect() as connection:
        counts = {
            table: connection.execute(f"select count(*) from '{raw / table}/*.parquet'").fetchone()
            for table in TABLES
        }
    return {table: rows for table, (rows,) in counts.items()}


def late(day: date) -> date:
    """The day on which an order was made that arrives late."""
    return day - timedelta(days=LATE_DAYS)
