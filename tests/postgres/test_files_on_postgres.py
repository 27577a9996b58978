"""`tiering refresh --target postgres` of a folder of files: DuckDB lands them, and PostgreSQL builds of copies of what it landed."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from cli_without_audit import pass_audit, pass_overview
from companies import small_company, with_late_facts
from postgres_server import PostgresServer
from refresh_in_process import refresh_in_process
from rich.console import Console
from test_cli import run
from test_parity import differences
from test_refresh_on_postgres import NOTES, Company

from customer_tiering import postgres_refresh, refreshing
from customer_tiering.building import BUILD, Build
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import ConfigurationError, RawDataError, SourceError
from customer_tiering.postgres_landing import LANDED, LANDED_FILES, check, copied
from customer_tiering.postgres_publishing import Database
from customer_tiering.postgres_refresh import PostgresRefresh

PROJECT = Path(__file__).resolve().parents[2]
KEY = "a key with\\ blanks"
# What columns of some names become in Parquet; all others stay text.
TYPES = {
    "updated_at": "timestamp_ns",
    "ordered_at": "timestamptz",
    "order_amount": "decimal(18, 2)",
    "rate_to_reporting": "decimal(18, 8)",
    "is_test": "boolean",
    "quantity": "tinyint",
    "birth_date": "date",
}


# An order that becomes another one without saying when, longer ago than rows of a schema are read again.
UNNOTICED = """
    update raw_rows set order_amount = '55.55'
    where order_id = (
        select min(order_id) from raw_rows where ordered_at like '2025-09%' and status = 'completed'
    )
"""


class FromFiles(Company):
    """A company whose raw tables are files; what dbt would read on PostgreSQL is kept."""

    def build(self, _project: Path, _warehouse: Path, *arguments: object) -> Build:
        if "seed" not in arguments[4]:
            self.vars, self.told = arguments[0], arguments[3][LANDED_FILES]
            self.customers = self.execute(f"select * from {LANDED}.customers order by 1")
            self.history = self.execute("select to_regclass('history.published_tiers')::text")
            if self.history != [(None,)]:
                self.history = self.execute("select customer_id from history.published_tiers")
        return super().build(_project, _warehouse, *arguments)

    def refresh_files(self, raw: Path, **project_vars: object) -> None:
        self.refresh(raw_schema="", raw_path=str(raw), **project_vars)


@pytest.fixture
def company(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FromFiles:
    """A database that is empty but for a name, and SQL that stands in for what dbt builds there."""
    name = f"files_{uuid4().hex}"
    server.create_database(name)
    for variable, value in server.environment(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(refreshing, "audit", pass_audit)
    monkeypatch.setattr(refreshing, "write_overview", pass_overview)
    made = FromFiles(server, name, tmp_path / "warehouse")
    monkeypatch.setattr(postgres_refresh, "build", made.build)
    return made


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder of the required tables and some requests to be erased."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "customers.csv").write_text(
        "customer_id,full_name,city\na,Ann,\nb,Bob,Bonn\nerased_000001,Eve,Oslo\n"
    )
    (folder / "orders.csv").write_text(
        "order_id,customer_id,ordered_at,status,order_amount\n1,a,2025-05-01,completed,5\n"
    )
    return folder


# -- What is copied --------------------------------------------------------------------------------


def landed(work: Path, **columns: tuple[str, list[object]]) -> None:
    """A work database in which the table raw.things has these columns, types and values."""
    with duckdb.connect(str(work)) as connection:
        connection.execute("create schema raw")
        declared = ", ".join(f"{name} {data_type}" for name, (data_type, _) in columns.items())
        connection.execute(f"create table raw.things ({declared}, of_no_file varchar)")
        connection.execute(
            "create table raw.landed_columns as select 'things' as source_table, column_name, "
            "column_name <> 'of_no_file' as is_landed from duckdb_columns() where table_name = 'things'"
        )
        rows = zip(*(values for _, values in columns.values()), strict=True)
        connection.executemany(
            f"insert into raw.things values ({', '.join('?' for _ in columns)}, null)",
            [list(row) for row in rows],
        )


def test_values_are_copied_as_they_are(company: FromFiles, tmp_path: Path) -> None:
    """NULL and an empty text stay apart, and nothing in a text ends a value, a row or the copy."""
    texts = [*NOTES, "a\n\\.\nb", "\\", '"', "🙂 e\u0301 \u200b\ufeff", "\x01\x7f", "\t"]
    count = len(texts)
    columns = {
        "place": ("integer", list(range(count))),
        "note": ("varchar", texts),
        "amount": (
            "decimal(18, 2)",
            [Decimal("12345678901.20"), None] + [Decimal(0)] * (count - 2),
        ),
        "share": ("double", [0.1, 1e300] + [None] * (count - 2)),
        "is_gold": ("boolean", [True, False] + [None] * (count - 2)),
        "day": ("date", [date(1, 1, 1), date(9999, 12, 31)] + [None] * (count - 2)),
        "seen_at": ("timestamptz", [datetime(2025, 3, 30, 1, 2, 3, 4, UTC)] + [None] * (count - 1)),
        "ended_at": (
            "timestamp_ns",
            [datetime(2025, 3, 30, 1, 2, 3, 999999)] + [None] * (count - 1),
        ),
        "large": ("hugeint", [2**100] + [None] * (count - 1)),
    }
    work = tmp_path / "work.duckdb"
    landed(work, **columns)
    with closing(company.server.connect(company.name)) as connection:
        database = Database(connection)
        with copied(database, work):
            found = company.execute(f"select * from {LANDED}.things order by place")
            names = company.execute(
                "select column_name, data_type from information_schema.columns "
                f"where table_schema = '{LANDED}'"
            )
    assert [list(values) for values in zip(*found, strict=True)] == [
        values for _, values in columns.values()
    ]
    assert dict(names) == {
        "place": "integer", "note": "text", "amount": "numeric", "share": "double precision",
        "is_gold": "boolean", "day": "date", "seen_at": "timestamp with time zone",
        "ended_at": "timestamp without time zone", "large": "numeric",
    }  # fmt: skip
    assert LANDED not in company.schemas()
    assert [path.name for path in tmp_path.iterdir()] == ["work.duckdb"]


def test_what_postgresql_cannot_hold_is_said_in_a_sentence(
    company: FromFiles, tmp_path: Path
) -> None:
    work = tmp_path / "work.duckdb"
    landed(work, place=("integer", [1, 2]), note=("varchar", ["a", "b\0c"]))
    with closing(company.server.connect(company.name)) as connection:
        with (
            pytest.raises(
                SourceError,
                match=r"^raw table things: found the character U\+0000 in column note; allowed is text without it",
            ),
            copied(Database(connection), work),
        ):
            pytest.fail("the text was copied")
        assert LANDED not in company.schemas()
        company.execute(f"create schema {LANDED}")
        with pytest.raises(ConfigurationError, match=f"schema {LANDED}: found one that no refresh"):
            check(Database(connection))
        with closing(company.server.connect(company.name)) as other:
            postgres_refresh.remove_copies(Database(other))
    assert LANDED in company.schemas()


# -- What a refresh does with it -------------------------------------------------------------------


def test_persons_are_masked_once_and_forgotten(company: FromFiles, raw: Path) -> None:
    company.refresh_files(raw)
    assert company.customers == [
        ("a", "Ann", None), ("b", "Bob", "Bonn"), ("reserved:erased_000001", "Eve", "Oslo"),
    ]  # fmt: skip
    assert company.vars["raw_schema"] == LANDED
    assert company.history == [(None,)]
    first = company.told
    (raw / "erasure_requests.csv").write_text("customer_id,requested_at\na,2025-05-02\n")
    company.refresh_files(raw)
    assert company.customers == [
        ("b", "Bob", "Bonn"), ("erased_000001", None, None), ("reserved:erased_000001", "Eve", "Oslo"),
    ]  # fmt: skip
    assert company.history == []  # what was published of a is gone before dbt continues from it
    assert first
    assert company.told not in ("", first)  # so that the build starts anew
    assert LANDED not in company.schemas()
    assert any(
        "earlier publications that may hold them are removed (1)" in n for n in company.notes
    )


def test_bad_files_end_as_on_duckdb(company: FromFiles, raw: Path, tmp_path: Path) -> None:
    """Each with the same sentence and exit code; and readers see what they saw."""

    def refused(*options: str) -> tuple[int, str]:
        found = []
        for target in ("duckdb", "postgres"):
            warehouse = company.warehouse if target == "postgres" else tmp_path / "on_duckdb"
            given = ("--raw", raw, "--warehouse", warehouse, "--target", target, *options)
            code, _, errors = run("refresh", *given)
            found.append((code, errors))
        assert found[0] == found[1]
        return found[0]

    company.refresh(raw_schema="", raw_path=str(raw), source_max_age_days={})
    orders = (raw / "orders.csv").read_text()
    (raw / "orders.csv").write_text(orders.replace("status", "state"))
    code, errors = refused()
    assert (code, "status" in errors) == (3, True)
    (raw / "orders.csv").unlink()
    code, errors = refused()
    assert (code, "found no table orders" in errors) == (3, True)
    (raw / "orders.csv").write_text(orders)
    with pytest.raises(RawDataError, match=r"^raw table orders: found a newest ordered_at of "):
        company.refresh_files(raw, source_max_age_days={"orders": 1})
    assert company.seen() == ("basic", "basic")
    assert LANDED not in company.schemas()


# -- The same answer -------------------------------------------------------------------------------


def as_parquet(raw: Path, folder: Path, change: str = "") -> Path:
    """The tables of a folder of CSV, with some columns of native types, and the orders with a change."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for source in sorted(raw.glob("*.csv")):
            # DuckDB would cast while it reads, and stop at what is no value of the type
            connection.execute(
                f"create table raw_rows as from read_csv('{source}', all_varchar = true, header = true)"
            )
            if change and source.stem == "orders":
                assert connection.execute(change).fetchone() == (1,)
            columns = connection.execute("select column_name from (describe raw_rows)").fetchall()
            selected = ", ".join(
                f"try_cast({name} as {TYPES.get(name, 'varchar')}) as {name}" for (name,) in columns
            )
            connection.execute(
                f"copy (select {selected} from raw_rows) to '{folder}/{source.stem}.parquet' (format parquet)"
            )
            connection.execute("drop table raw_rows")
    return folder


def test_files_give_what_they_give_on_duckdb(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With erased persons, pseudonyms and native types; and again with late facts, which leave periods as they are."""
    name = f"files_{uuid4().hex}"
    server.create_database(name)
    for variable, value in server.environment(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", KEY)
    monkeypatch.setattr(refreshing, "audit", pass_audit)
    monkeypatch.setattr(postgres_refresh, "BUILD", (*BUILD, "test"))
    small, later = tmp_path / "small", tmp_path / "later"
    small_company(small)
    with_late_facts(small, later)
    given = {"run_date": "2026-01-31", "pseudonymise_ids": True}
    for state, change in ((small, ""), (later, UNNOTICED)):
        raw = as_parquet(state, tmp_path / f"{state.name}_parquet", change)
        configuration = load_configuration(PROJECT, {**given, "raw_path": str(raw)})
        notes: list[str] = []
        PostgresRefresh(
            PROJECT, configuration, tmp_path / "warehouse", Console(quiet=True), notes.append
        ).run()
        refresh_in_process(raw, tmp_path / "on_duckdb", given)
        assert differences(f"postgres:{name}", tmp_path / "on_duckdb") == []
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute("select periods_kept from builds.last_build")
        assert cursor.fetchone()[0] > 0
    erased = json.loads((tmp_path / "warehouse" / "current" / "manifest.json").read_text())
    assert erased["erasures"]["ids"] > 0
