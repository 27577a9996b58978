"""A part of the sample company that builds fast, and what becomes known about it later."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
from made_once import PROJECT
from raw_schema import rows_of, sources

# Of so many customers one is taken.
PART = 8
# Raw tables of customers, by the column that says whose a row is; of orders; all others are taken whole.
OF_CUSTOMERS = {
    **dict.fromkeys(
        ("account_balances", "campaign_contacts", "customer_attributes"), "customer_id"
    ),
    **dict.fromkeys(("customers", "interactions", "orders"), "customer_id"),
    **dict.fromkeys(("survey_responses", "tickets"), "customer_id"),
    "customer_merges": "into_customer_id",
}
OF_ORDERS = ("order_items", "refunds")
# Of what becomes known late: key, time and amount.
LATE_FACTS = {
    "orders": ("order_id", "ordered_at", "order_amount"),
    "refunds": ("refund_id", "refunded_at", "refund_amount"),
    "customer_merges": ("from_customer_id", "merged_at", None),
}
# On this day they become known, as far as they say so; periods that ended before it are kept.
LATE = "2025-11-20"


def small_company(raw: Path) -> None:
    """Make a folder of raw tables of one in eight customers of the sample, and of its guests."""
    raw.mkdir()
    with duckdb.connect() as connection:
        for source in sources(PROJECT / "sample"):
            connection.execute(f"create table {source.stem} as from {rows_of(source)}")
        for table, column in OF_CUSTOMERS.items():
            number = f"try_cast(regexp_extract({column}, '[0-9]+') as integer)"
            connection.execute(f"delete from {table} where {number} % {PART} <> 0")
        for table in OF_ORDERS:
            connection.execute(
                f"delete from {table} where order_id not in (select order_id from orders)"
            )
        # the review before the first is closed, that before the second is not
        connection.execute("alter table campaigns add column holdout_percent varchar")
        connection.execute(
            "insert into campaigns by name from (values ('H1', '2025-12-28', '20'), ('H2', '2026-03-01', '50')) "
            "as planned (campaign_id, starts_on, holdout_percent)"
        )
        # a table and a column may be missing
        connection.execute("drop table referrals")
        connection.execute("alter table customers drop column acquisition_channel")
        _write(connection, raw)


def with_late_facts(raw: Path, later: Path) -> None:
    """Copy a folder of raw tables in which orders and refunds were deleted, changed and added, and customers merged."""
    _changed(
        raw,
        later,
        "delete from orders where order_id in (select order_id from late_orders order by 1 limit 3)",
        "update orders set order_amount = '77.77', updated_at = '2026-01-02 00:00:00' "
        "where order_id = (select max(order_id) from late_orders where status = 'completed')",
        "insert into orders by name select 'late-' || customer_id as order_id, customer_id, "
        f"'{LATE} 12:00:00' as ordered_at, 'completed' as status, '1234.50' as order_amount, "
        "'CNY' as currency_code from (select distinct customer_id from late_orders order by 1 limit 5)",
        "delete from refunds where refunded_at = "
        "(select max(refunded_at) from refunds where refunded_at like '2025-%')",
        "insert into refunds by name select 'late' as refund_id, order_id, "
        "'2025-12-20 12:00:00' as refunded_at, '0.50' as refund_amount "
        "from late_orders where status = 'completed' order by order_id limit 1",
        "insert into customer_merges by name select min(customer_id) as from_customer_id, "
        "max(customer_id) as into_customer_id, '2025-12-24 08:00:00' as merged_at "
        "from (select customer_id from orders group by 1 having min(ordered_at[:10]) >= '2025-06-01')",
        "update account_balances set balance_amount = '77.77' where balance_date = '2025-09-30'",
        "insert into customer_attributes by name select max(customer_id) as customer_id, "
        "'interest' as attribute, 'late' as value, '2025-12-01' as updated_at from customers",
        "insert into tickets by name select 'late' as ticket_id, max(customer_id) as customer_id, "
        f"'{LATE} 09:00:00' as opened_at, 'complaint' as ticket_type, 'high' as severity from customers",
    )


def with_an_erasure(raw: Path, later: Path) -> str:
    """Copy a folder of raw tables in which one more customer asked to be erased; gives who it is."""
    _changed(
        raw,
        later,
        "insert into erasure_requests by name select max(customer_id) as customer_id, "
        "'2026-01-10 10:00:00' as requested_at from orders",
    )
    with duckdb.connect() as connection:
        return connection.execute(
            f"select max(customer_id) from {rows_of(raw / 'orders.csv')}"
        ).fetchone()[0]


def before_late_facts(raw: Path, earlier: Path) -> None:
    """Copy a folder of raw tables as it was before facts became known late: the last orders, refunds and merges are
    not there yet, and of those before some are not, some have another amount, and some go later."""
    earlier.mkdir()
    with duckdb.connect() as connection:
        for source in sources(raw):
            if source.stem not in LATE_FACTS:
                copy = shutil.copytree if source.is_dir() else shutil.copy2
                copy(source, earlier / source.name)
                continue
            key, time, amount = LATE_FACTS[source.stem]
            connection.execute(
                f"create table numbered as select *, ntile(50) over (order by {time}, {key}) as part, "
                f"row_number() over (order by {time}, {key}) % 40 as number from {rows_of(source)}"
            )
            connection.execute("delete from numbered where part = 50 or (part > 40 and number = 0)")
            if amount:
                connection.execute(
                    f"update numbered set {amount} = '77.77' where part > 40 and number = 1"
                )
                connection.execute(
                    f"insert into numbered select * replace ('gone-' || {key} as {key}) from numbered "
                    "where part > 40 and number = 2"
                )
            kind = "csv" if source.is_dir() else source.suffix.removeprefix(".")
            connection.execute(
                f"copy (select * exclude (part, number) from numbered) to '{earlier}/{source.stem}.{kind}' (format {kind})"
            )
            connection.execute("drop table numbered")


def _changed(raw: Path, later: Path, *statements: str) -> None:
    later.mkdir()
    with duckdb.connect() as connection:
        for source in sources(raw):
            connection.execute(f"create table {source.stem} as from {rows_of(source)}")
        connection.execute(
            f"create table late_orders as from orders where ordered_at[:10] >= '{LATE}'"
        )
        for statement in statements:
            (count,) = connection.execute(statement).fetchone()
            assert count, f"no row is changed by {statement}"
        connection.execute("drop table late_orders")
        _write(connection, later)
    for source in raw.iterdir():  # what is as it was is the same file
        new = later / source.name
        if new.read_bytes() == source.read_bytes():
            shutil.copy2(source, new)


def _write(connection: duckdb.DuckDBPyConnection, raw: Path) -> None:
    for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
        connection.execute(f"copy {table} to '{raw}/{table}.csv' (header)")
