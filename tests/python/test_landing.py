"""What a build reads of the raw tables when it goes on from the last one: what is new or has changed, and no more.

dbt itself lands here, in the small project of landing_project.py. What the landed tables are to hold is
written down by hand. That a file has not been read again is shown by changing what is in it behind the
landing's back: same size, same time, other content.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import duckdb
import pytest
from dbt_in_process import dbt, lay_parsed
from landing_in_process import Landings, landings
from landing_project import landing_project

from customer_tiering.sources import check_contents

LONG_AGO = 1_700_000_000  # a file's time, in seconds


class Landing:
    """A warehouse and its raw tables, landed by dbt as often as a test wants."""

    def __init__(self, project: Path, folder: Path, **project_vars: object) -> None:
        self.project = project
        self.raw = folder / "raw"
        self.warehouse = folder / "warehouse"
        self.vars = {"run_date": "2026-01-31", "raw_path": str(self.raw), **project_vars}
        self.raw.mkdir()
        self.warehouse.mkdir()

    def build(self, *arguments: str, **project_vars: object) -> None:
        """Run dbt build, whole or of what the arguments select."""
        values = {**self.vars, **project_vars}
        lay_parsed(self.warehouse, values, self.project)
        vars_option = ("--vars", json.dumps(values))
        dbt(self.warehouse, "build", *arguments, *vars_option, project=self.project)

    def land(self, *arguments: str, **project_vars: object) -> None:
        """Land, and build as little as can be: what was built before is gone on from all the same."""
        self.build("--select", "int_as_of", *arguments, **project_vars)

    def rows(self, table: str, *columns: str) -> list[tuple]:
        """The landed rows of a table, of some columns or all."""
        with duckdb.connect(str(self.warehouse / "work.duckdb"), read_only=True) as connection:
            listed = ", ".join(columns) or "*"
            return connection.execute(f"select {listed} from raw.{table} order by all").fetchall()

    def read(self) -> dict[str, object]:
        """When the run began that read a file, by the file's path below the raw folder."""
        with duckdb.connect(str(self.warehouse / "work.duckdb"), read_only=True) as connection:
            found = connection.execute(
                "select file, run_started_at::varchar from builds.landed_files"
            )
            return {str(Path(file).relative_to(self.raw)): at for file, at in found.fetchall()}

    def write(self, name: str, text: str, changed_at: float = LONG_AGO) -> None:
        path = self.raw / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (changed_at, changed_at))

    def write_parquet(self, name: str, query: str) -> None:
        path = self.raw / name
        path.parent.mkdir(exist_ok=True)
        duckdb.sql(query).write_parquet(str(path))
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture(scope="module")
def project() -> Path:
    return landing_project()


ORDERS = "order_id,customer_id,ordered_at,status,order_amount\n"


def test_of_files_only_what_is_new_or_has_changed_is_read(project: Path, tmp_path: Path) -> None:
    """A kind of change a table; what is landed afterwards is what all of today's files hold.

    But for the first file of orders: its content was exchanged without a trace, and nobody has looked.
    """
    landing = Landing(project, tmp_path)
    landing.write("orders/01.csv", ORDERS + "o1,a,2024-01-01,completed,10\n")
    fresh = time.time() + 60
    landing.write("customers.csv", "customer_id,city\na,Oslo\n", changed_at=fresh)
    landing.write(
        "refunds/1.csv", "refund_id,order_id,refunded_at,refund_amount\nr1,o1,2024-02-01,1\n"
    )
    landing.write(
        "refunds/2.csv", "refund_id,order_id,refunded_at,refund_amount\nr2,o1,2024-02-02,2\n"
    )
    landing.write("tickets/1.csv", "ticket_id,customer_id,opened_at\nt1,a,2024-01-05\n")
    landing.write("tickets/2.csv", "ticket_id,customer_id,opened_at\nt2,a,2024-01-06\n")
    landing.write("products.csv", "product_id,category\np1,tea\n")
    landing.write(
        "exchange_rates.csv", "rate_date,currency_code,rate_to_reporting\n2024-01-01,EUR,8\n"
    )
    landing.write(
        "survey_responses.csv",
        "response_id,customer_id,responded_at,survey_type,score\ns1,a,2024-01-09,nps,9\n",
    )
    interaction = (
        "select 'i1' as interaction_id, 'a' as customer_id, timestamp '2024-01-03' as occurred_at"
    )
    landing.write_parquet("interactions/1.parquet", f"{interaction}, 60 as duration_seconds")
    landing.write_parquet(
        "referrals/1.parquet",
        "select 'f1' as referral_id, 'a' as referrer_customer_id, date '2024-01-04' as referred_at",
    )
    landing.build()
    first = landing.read()
    # not of its own reading: what changed while that went on may be read in part
    assert len(set(first.values())) == 1

    # exchanged behind the landing's back, and one more file, with a column more and one less
    landing.write("orders/01.csv", ORDERS + "o9,z,2024-09-09,completed,99\n")
    landing.write(
        "orders/02.csv",
        "order_id,ordered_at,status,order_amount,channel\no2,2024-02-01,paid,20,app\n",
    )
    # as long and as old as before; but it was younger than its landing, so nobody can be sure
    landing.write("customers.csv", "customer_id,city\na,Bonn\n", changed_at=fresh)
    # another content and time
    landing.write(
        "refunds/2.csv",
        "refund_id,order_id,refunded_at,refund_amount\nr2,o1,2024-02-02,7\n",
        changed_at=LONG_AGO + 5,
    )
    (landing.raw / "tickets" / "2.csv").unlink()
    (landing.raw / "products.csv").unlink()
    landing.write_parquet("products.parquet", "select 'p2' as product_id, 'ink' as category")
    (landing.raw / "exchange_rates.csv").unlink()
    # the same column in another type, and of another table in the same
    landing.write_parquet(
        "interactions/2.parquet",
        f"{interaction.replace('i1', 'i2')}, 'one minute' as duration_seconds",
    )
    landing.write_parquet(
        "referrals/2.parquet",
        "select 'f2' as referral_id, 'b' as referrer_customer_id, date '2024-01-05' as referred_at",
    )
    landing.land()
    second = landing.read()

    assert landing.rows("orders", "order_id", "customer_id", "order_amount", "channel") == [
        ("o1", "a", "10", None),
        ("o2", None, "20", "app"),
    ]
    assert landing.rows("customers", "customer_id", "city") == [("a", "Bonn")]
    assert landing.rows("refunds", "refund_id", "refund_amount") == [("r1", "1"), ("r2", "7")]
    assert landing.rows("tickets", "ticket_id") == [("t1",)]
    assert landing.rows("products", "product_id", "category") == [("p2", "ink")]
    assert landing.rows("exchange_rates") == []
    assert landing.rows("interactions", "interaction_id", "duration_seconds") == [
        ("i1", "60"),
        ("i2", "one minute"),
    ]
    assert landing.rows("referrals", "referral_id", "referrer_customer_id") == [
        ("f1", "a"),
        ("f2", "b"),
    ]
    kept = {file for file, at in second.items() if first.get(file) == at}
    assert kept == {"orders/01.csv", "survey_responses.csv", "referrals/1.parquet"}
    gone = {"tickets/2.csv", "products.csv", "exchange_rates.csv"}
    new = {"orders/02.csv", "products.parquet", "interactions/2.parquet", "referrals/2.parquet"}
    assert set(second) == set(first) - gone | new
    with duckdb.connect(str(landing.warehouse / "work.duckdb"), read_only=True) as connection:
        present = connection.execute(
            "select column_name from raw.landed_columns "
            "where source_table = 'orders' and is_landed and not is_required order by all"
        ).fetchall()
    assert present == [("channel",), ("customer_id",)]

    landing.land("--full-refresh")
    assert landing.rows("orders", "order_id") == [("o2",), ("o9",)]


def test_names_of_files_and_folders_mean_nothing(tmp_path: Path) -> None:
    """Neither a pattern, which would read some files twice or none, nor a column."""
    raw, warehouse = tmp_path / "city=Oslo [a-z]*?", tmp_path / "warehouse"
    for folder in (raw / "orders", raw / "refunds", warehouse):
        folder.mkdir(parents=True)
    (raw / "customers.csv").write_text("customer_id\na\n")
    names = ("o[1].csv", "o1.csv", "o*.csv", "o?.csv", "it's.csv", "status=paid.csv", "[o]1.csv")
    for number, name in enumerate(names):
        (raw / "orders" / name).write_text(f"{ORDERS}o{number},a,2024-01-01,completed,{number}\n")
    duckdb.sql(
        "select 'r1' as refund_id, 'o1' as order_id, date '2024-02-01' as refunded_at, "
        "1 as refund_amount"
    ).write_parquet(str(raw / "refunds" / "r[0-9].parquet"))

    def steps(session: Landings) -> None:
        session.land(raw_path=str(raw))
        assert session.sql("select customer_id, city from raw.customers") == [("a", None)]
        assert session.sql("select order_id, status from raw.orders order by 1") == [
            (f"o{number}", "completed") for number in range(len(names))
        ]
        assert session.sql("select refund_id from raw.refunds") == [("r1",)]

    landings(warehouse, steps, ["customers", "orders", "refunds"])
    check_contents(raw, {"customers": True, "orders": True, "refunds": False})


def test_other_rules_or_erasures_land_everything_anew(tmp_path: Path) -> None:
    """The content exchanged without a trace comes to light as soon as all files are read again.

    A person who asks to be erased is gone from the rows that had been landed before, too.
    """
    raw, warehouse = tmp_path / "raw", tmp_path / "warehouse"
    for folder in (raw / "orders", warehouse):
        folder.mkdir(parents=True)

    def write(name: str, text: str) -> None:
        (raw / name).write_text(text, encoding="utf-8")
        os.utime(raw / name, (LONG_AGO, LONG_AGO))

    first = ORDERS + "o1,a,2024-01-01,completed,10\n"
    second = ORDERS + "o2,b,2024-01-01,completed,20\n"

    def steps(session: Landings) -> None:
        def landed(columns: str, table: str, **project_vars: object) -> list[tuple]:
            session.land(raw_path=str(raw), **project_vars)
            return session.sql(f"select {columns} from raw.{table} order by all")

        write("orders/01.csv", first)
        write("customers.csv", "customer_id,full_name\na,Ada\nb,Bob\n")
        assert landed("order_id", "orders") == [("o1",)]
        write("orders/01.csv", second)
        assert landed("order_id", "orders") == [("o1",)]
        # vars that shape no row are no rules
        shapeless = {
            "source_max_age_days": {"orders": 36600},
            "source_max_shrink_percent": 21,
            "publications_kept": 8,
            "min_free_megabytes": 1,
            "audit_max_shrink_percent": 21,
            "audit_max_tier_shift_points": 11,
            "audit_max_score_shift": 6,
            "audit_max_unknown_shift_points": 26,
            "audit_min_customers": 101,
        }
        assert landed("order_id", "orders", **shapeless) == [("o1",)]
        assert landed("order_id", "orders", rfm_window_days=300) == [("o2",)]

        write("orders/01.csv", first)
        write("erasure_requests.csv", "customer_id,requested_at\na,2024-05-01\n")
        assert landed("order_id, customer_id", "orders", rfm_window_days=300) == [
            ("o1", "erased_000001")
        ]
        assert session.sql("select customer_id, full_name from raw.customers order by 1") == [
            ("b", "Bob"),
            ("erased_000001", None),
        ]

        (raw / "erasure_requests.csv").unlink()
        assert landed("customer_id, full_name", "customers", rfm_window_days=300) == [
            ("a", "Ada"),
            ("b", "Bob"),
        ]

    landings(warehouse, steps, ["customers", "orders", "erasure_requests", "customer_merges"])


def test_another_test_or_other_code_lands_everything_anew(tmp_path: Path) -> None:
    """All is then computed and tested, too. The content is exchanged without a trace each time."""
    raw, project, warehouse = (tmp_path / name for name in ("raw", "project", "warehouse"))
    files = [
        project / name
        for name in ("tests/singular/a.sql", "tests/generic/a.sql", "customer_tiering/a/a.py")
    ]
    for path in (*files, warehouse / "a", raw / "a"):
        path.parent.mkdir(parents=True)
    (raw / "customers.csv").write_text("customer_id\na\n")

    def steps(session: Landings) -> None:
        def landed(amount: int) -> list[tuple]:
            (raw / "orders.csv").write_text(f"{ORDERS}o1,a,2024-01-01,completed,{amount}\n")
            os.utime(raw / "orders.csv", (LONG_AGO, LONG_AGO))
            session.land(raw_path=str(raw))
            return session.sql("select order_amount from raw.orders")

        session.take_files_of(project)
        assert landed(10) == [("10",)]
        for amount, file in enumerate(files, 11):
            file.write_text("1")
            assert landed(amount) == [(str(amount),)]
            assert landed(99) == [(str(amount),)]

    landings(warehouse, steps, ["orders", "customers", "customer_merges"])


# What is done to a shop's orders, one after the other, and what of them is landed then: (order_id,
# order_amount). At first there are o1 of 1 January, o2 of 1 February and o3 of 15 March 2024.
STEPS = [
    (
        "an order comes in",
        "insert into orders values ('o4', timestamp '2024-03-20', 40, timestamp '2024-03-20', 'paid')",
        [("o1", 10), ("o2", 20), ("o3", 30), ("o4", 40)],
    ),
    (
        "an old one changes: there is one row of it",
        "update orders set order_amount = 11, updated_at = timestamp '2024-03-21' where order_id = 'o1'",
        [("o1", 11), ("o2", 20), ("o3", 30), ("o4", 40)],
    ),
    (
        "one changes without saying so: nobody looks, which is what reading less costs",
        "update orders set order_amount = 22 where order_id = 'o2'",
        [("o1", 11), ("o2", 20), ("o3", 30), ("o4", 40)],
    ),
    (
        "one comes in 13 days late",
        "insert into orders values ('o5', timestamp '2024-01-01', 50, timestamp '2024-03-08', 'paid')",
        [("o1", 11), ("o2", 20), ("o3", 30), ("o4", 40), ("o5", 50)],
    ),
    (
        "one of unknown age comes in",
        "insert into orders values ('o6', timestamp '2024-01-01', 60, null, 'paid')",
        [("o1", 11), ("o2", 20), ("o3", 30), ("o4", 40), ("o5", 50), ("o6", 60)],
    ),
    (
        "another version of one is kept beside the older",
        "insert into orders values ('o3', timestamp '2024-03-15', 31, timestamp '2024-03-22', 'paid')",
        [("o1", 11), ("o2", 20), ("o3", 30), ("o3", 31), ("o4", 40), ("o5", 50), ("o6", 60)],
    ),
    (
        "one comes in two months late: the count tells, and all is read again",
        "insert into orders values ('o7', timestamp '2024-01-01', 70, timestamp '2024-01-02', 'paid')",
        [
            ("o1", 11),
            ("o2", 22),
            ("o3", 30),
            ("o3", 31),
            ("o4", 40),
            ("o5", 50),
            ("o6", 60),
            ("o7", 70),
        ],
    ),
    (
        "an old one is gone",
        "delete from orders where order_id = 'o2'",
        [("o1", 11), ("o3", 30), ("o3", 31), ("o4", 40), ("o5", 50), ("o6", 60), ("o7", 70)],
    ),
    (
        "one is gone and one comes in two months late: as many as before",
        "delete from orders where order_id = 'o7'; insert into orders values "
        "('o8', timestamp '2024-01-01', 80, timestamp '2024-01-03', 'paid')",
        [("o1", 11), ("o3", 30), ("o3", 31), ("o4", 40), ("o5", 50), ("o6", 60), ("o8", 80)],
    ),
    (
        "one with a time yet to come makes no other one old, so that nobody looks at the old ones",
        "insert into orders values ('o9', timestamp '2024-01-01', 90, timestamp '2100-01-01', 'paid'); "
        "update orders set order_amount = 88 where order_id = 'o8'",
        [
            ("o1", 11),
            ("o3", 30),
            ("o3", 31),
            ("o4", 40),
            ("o5", 50),
            ("o6", 60),
            ("o8", 80),
            ("o9", 90),
        ],
    ),
    (
        "nor at the next landing",
        "insert into orders values ('p1', timestamp '2024-01-01', 1, timestamp '2024-03-23', 'paid')",
        [
            ("o1", 11),
            ("o3", 30),
            ("o3", 31),
            ("o4", 40),
            ("o5", 50),
            ("o6", 60),
            ("o8", 80),
            ("o9", 90),
            ("p1", 1),
        ],
    ),
    (
        "a column has another type",
        "alter table orders alter order_amount type varchar",
        [
            ("o1", 11),
            ("o3", 30),
            ("o3", 31),
            ("o4", 40),
            ("o5", 50),
            ("o6", 60),
            ("o8", 88),
            ("o9", 90),
            ("p1", 1),
        ],
    ),
]


def test_of_a_schema_only_rows_that_are_new_or_changed_are_read(tmp_path: Path) -> None:
    def steps(session: Landings) -> None:
        session.sql(f"attach '{tmp_path / 'shop.duckdb'}' as shop")
        session.sql("create table shop.customers as select 'a' as customer_id")
        session.sql(
            "create table shop.orders as select *, 'paid' as status from (values "
            "('o1', timestamp '2024-01-01', 10, timestamp '2024-01-01'), "
            "('o2', timestamp '2024-02-01', 20, timestamp '2024-02-01'), "
            "('o3', timestamp '2024-03-15', 30, timestamp '2024-03-15')) "
            "as o (order_id, ordered_at, order_amount, updated_at)"
        )
        session.land(raw_schema="shop.main", late_arrival_days=14)
        for what, statement, expected in STEPS:
            session.sql(statement.replace(" orders ", " shop.orders "))
            session.land(raw_schema="shop.main", late_arrival_days=14)
            landed = session.sql("select order_id, order_amount from raw.orders order by all")
            assert landed == [(order_id, str(amount)) for order_id, amount in expected], what

    (tmp_path / "warehouse").mkdir()
    landings(tmp_path / "warehouse", steps, ["customers", "orders"])


def test_raw_tables_of_another_origin_are_landed_whole(tmp_path: Path) -> None:
    """Another file under the same name, another schema, files: even of rows with the same keys and times."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "customers.csv").write_text("customer_id\na\n")
    (raw / "orders.csv").write_text(
        "order_id,ordered_at,status,order_amount,updated_at\no1,2024-01-01,files,1,2024-01-01\n"
    )

    def steps(session: Landings) -> None:
        def attach(name: str) -> None:
            session.sql(f"attach '{tmp_path / name}.duckdb' as shop")
            for schema in ("main", "other"):
                session.sql(f"create schema if not exists shop.{schema}")
                session.sql(f"create table shop.{schema}.customers as select 'a' as customer_id")
                session.sql(
                    f"create table shop.{schema}.orders as select 'o1' as order_id, 1 as order_amount, "
                    "timestamp '2024-01-01' as ordered_at, timestamp '2024-01-01' as updated_at, "
                    f"'{name} {schema}' as status"
                )
                # a newer one, so that the older is not read again
                session.sql(
                    f"insert into shop.{schema}.orders select 'o2', 1, ordered_at, timestamp '2024-02-01', "
                    f"status from shop.{schema}.orders"
                )

        def status(**project_vars: object) -> str:
            session.land(late_arrival_days=0, **project_vars)
            ((status,),) = session.sql("select status from raw.orders where order_id = 'o1'")
            return status

        attach("first")
        assert status(raw_schema="shop.main") == "first main"
        assert status(raw_schema="shop.other") == "first other"
        assert status(raw_path=str(raw)) == "files"
        assert status(raw_schema="shop.other") == "first other"
        session.sql("detach shop")
        attach("second")
        assert status(raw_schema="shop.other") == "second other"

    (tmp_path / "warehouse").mkdir()
    landings(tmp_path / "warehouse", steps, ["customers", "orders"])
