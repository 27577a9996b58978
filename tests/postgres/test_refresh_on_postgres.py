"""`tiering refresh --target postgres`: what readers of the database and of the folder see, whatever happens on the way.

Most tests let SQL stand in for dbt, as a build of the project takes a minute; the last one builds it.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import duckdb
import psycopg2
import pytest
from cli_without_audit import pass_overview
from postgres_server import PostgresServer
from psycopg2.extras import execute_values
from rich.console import Console
from test_cli import run

from customer_tiering import postgres_publishing, postgres_refresh, refreshing
from customer_tiering.auditing import AuditSummary
from customer_tiering.building import Build
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import (
    AuditError,
    BuildError,
    ConfigurationError,
    ExitCode,
    LockedError,
    SourceError,
)
from customer_tiering.postgres import DATABASE, HOST, PASSWORD, USER
from customer_tiering.postgres_publishing import Database, kept
from customer_tiering.postgres_refresh import PostgresRefresh, rollback
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    Description,
    current_publication,
    publications,
    verify,
)
from customer_tiering.runs import Ledger

PROJECT = Path(__file__).resolve().parents[2]
# Texts and figures that a copy by way of a file may spoil.
NOTES = [
    "plain",
    "",
    "NULL",
    "\\N",
    "\\.",
    'a "quote", and a comma',
    "line\nand\r\nline",
    " 金 ",
    None,
]
ERASED = "erased_000001"


class Company:
    """A database with what stands in for raw tables and for dbt, and the warehouse beside it."""

    def __init__(self, server: PostgresServer, name: str, warehouse: Path) -> None:
        self.server, self.name, self.warehouse = server, name, warehouse
        self.tier = "basic"
        self.erased: list[str] = []
        self.notes: list[str] = []
        self.failure: BuildError | None = None
        self.goes_on = False  # whether the last build found what an earlier one left

    def execute(self, sql: str, *values: object) -> list[tuple]:
        with closing(self.server.connect(self.name)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def build(self, _project: Path, _warehouse: Path, *arguments: object) -> Build:
        """What dbt would leave: a few tables in its own schemas."""
        words = arguments[4]
        if "seed" in words:
            return Build(1, 0, {})
        if self.failure:
            raise self.failure
        [(last_build,)] = self.execute("select to_regclass('builds.last_build')")
        self.goes_on = last_build is not None
        people = {"a": "Ann"} if not self.erased else {ERASED: None}
        self.execute(
            "drop schema if exists work_marts, work_quality, work_restricted, builds, raw cascade;"
            "create schema work_marts; create schema work_quality; create schema work_restricted;"
            "create schema if not exists history; create schema builds; create schema raw;"
            "create table work_marts.review_periods as select date '2025-05-31' as period_end;"
            "create table work_marts.customers (customer_id text, tier_code text, spent numeric(18, 2),"
            " share double precision, seen_at timestamp, is_gold boolean, orders bigint);"
            "create table work_marts.notes (place integer, note text);"
            "create table work_marts.remarks as select note from (values (text ''), (null), ('')) as rows (note);"
            "create table work_quality.reconciliation as select text 'orders' as source_table, 3::bigint as"
            " rows_in, 2::bigint as rows_staged, 0::bigint as rows_duplicate, 1::bigint as rows_rejected;"
            "create table work_restricted.customer_contacts (customer_id text, full_name text);"
            "create table if not exists history.published_tiers (customer_id text, tier_code text);"
            "create table builds.last_build as select 2 as periods, 1 as periods_kept;"
            "create table builds.landing_notes as select text 'a landed note' as note;"
            "create table raw.orders as select text 'o1' as order_id, text 'x' as ordered_at,"
            " text 'x' as status, text '1' as order_amount"
        )
        for customer_id, name in people.items():
            self.execute(
                "insert into work_marts.customers values (%s, %s, 1234567.10, 0.1, '2025-05-31 01:02:03.4', true, 3)",
                customer_id,
                self.tier,
            )
            if name:
                self.execute(
                    "insert into work_restricted.customer_contacts values (%s, %s)",
                    customer_id,
                    name,
                )
            self.execute(
                "insert into history.published_tiers values (%s, %s)", customer_id, self.tier
            )
        for place, note in enumerate(NOTES):
            self.execute("insert into work_marts.notes values (%s, %s)", place, note)
        for customer_id in self.erased:
            self.execute("delete from history.published_tiers where customer_id = %s", customer_id)
            self.execute(
                "create view raw.erased_ids as select id as customer_id from shop.requests"
            )
        return Build(
            9, 2, {"notes": ["place"]},
            {"work_marts.notes": Description("One row per note.", {"note": "It's a note."})},
        )  # fmt: skip

    def refresh(self, from_scratch: bool = False, **project_vars: object) -> str:
        """Refresh; gives the name of the run."""
        configuration = load_configuration(PROJECT, {"raw_schema": "shop", **project_vars})
        console = Console(quiet=True)
        PostgresRefresh(
            PROJECT, configuration, self.warehouse, console, self.notes.append, from_scratch
        ).run()
        return Ledger(self.warehouse).runs()[-1].run_id

    def seen(self) -> tuple[str, str]:
        """The tier of the one customer, as readers of the database and of the folder see it."""
        [(in_database,)] = self.execute("select tier_code from marts.customers")
        with duckdb.connect(str(self.warehouse / PUBLICATION), read_only=True) as connection:
            [(in_folder,)] = connection.execute("select tier_code from marts.customers").fetchall()
        verify(current_publication(self.warehouse))
        return in_database, in_folder

    def schemas(self) -> set[str]:
        return {name for (name,) in self.execute("select nspname from pg_namespace")}

    def last_run(self) -> tuple[str, int | None]:
        run = Ledger(self.warehouse).runs()[-1]
        return run.status, run.exit_code


@pytest.fixture
def company(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    name = f"company_{uuid4().hex}"
    server.create_database(name)
    made = Company(server, name, tmp_path / "warehouse")
    made.execute("create schema shop")
    for variable, value in server.environment(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(postgres_refresh, "build", made.build)
    nothing = AuditSummary(suites=0, expectations=0, notes=[])
    monkeypatch.setattr(refreshing, "audit", lambda *_: nothing)
    monkeypatch.setattr(refreshing, "write_overview", pass_overview)
    return made


def in_a_process_that_dies(act: Callable[[], object]) -> None:
    """Run something in a process of its own, which is to end by SIGKILL."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# -- What is published -----------------------------------------------------------------------------


def test_the_folder_shows_what_the_database_shows(company: Company) -> None:
    run_id = company.refresh()
    assert company.notes == ["a landed note"]
    assert company.seen() == ("basic", "basic")
    assert company.execute("select note from marts.notes order by place") == [(n,) for n in NOTES]
    with duckdb.connect(str(company.warehouse / PUBLICATION), read_only=True) as connection:
        notes = connection.execute("select note from marts.notes order by place").fetchall()
        remarks = connection.execute("select note from marts.remarks").fetchall()
        customers = connection.execute("select * from marts.customers").fetchall()
        types = connection.execute("describe marts.customers").fetchall()
        comments = connection.execute(
            "select comment from duckdb_tables() where table_name = 'notes' union all "
            "select comment from duckdb_columns() where column_name = 'note' and table_name = 'notes'"
        ).fetchall()
    assert notes == [(note,) for note in NOTES]
    assert sorted(remarks, key=str) == [("",), ("",), (None,)]
    assert customers == company.execute("select * from marts.customers")
    assert [column[1] for column in types] == [
        "VARCHAR", "VARCHAR", "DECIMAL(18,2)", "DOUBLE", "TIMESTAMP", "BOOLEAN", "BIGINT",
    ]  # fmt: skip
    assert comments == [("One row per note.",), ("It's a note.",)]
    assert company.execute(
        "select obj_description('marts.notes'::regclass), col_description('marts.notes'::regclass, 2)"
    ) == [("One row per note.", "It's a note.")]
    with duckdb.connect(str(company.warehouse / RESTRICTED), read_only=True) as connection:
        assert connection.execute("from restricted.customer_contacts").fetchall() == [("a", "Ann")]
    assert company.execute("select run_id, status, rows_in from quality.refresh_log") == [
        (run_id, "published", 3)
    ]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        company.execute("insert into marts.notes values (1, 'again')")


def test_earlier_publications_are_kept_and_shown_again(company: Company) -> None:
    first = company.refresh()
    company.tier = "gold"
    second = company.refresh()
    assert company.seen() == ("gold", "gold")
    assert kept("marts", first) in company.schemas()

    assert rollback(company.warehouse, None).publication == first
    assert company.seen() == ("basic", "basic")
    assert rollback(company.warehouse, second).publication == second
    assert company.seen() == ("gold", "gold")
    code, _, errors = run("rollback", "--warehouse", company.warehouse)  # it knows where
    assert (code, errors) == (ExitCode.OK, "")
    assert company.seen() == ("basic", "basic")

    company.tier = "platinum"
    company.refresh(publications_kept=1)
    assert company.seen() == ("platinum", "platinum")
    assert {name for name in company.schemas() if name.startswith("marts")} == {"marts"}
    # what was published is the history, and not what was built or seen between
    assert company.execute("select tier_code from history.published_tiers order by 1") == [
        ("basic",), ("platinum",),
    ]  # fmt: skip


def test_readers_see_no_personal_data_and_nothing_unfinished(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.execute("create role analyst")
    try:
        monkeypatch.setenv("TIERING_POSTGRES_READER", "analyst")
        first = company.refresh()
        company.refresh()
        with closing(company.server.connect(company.name)) as connection:
            cursor = connection.cursor()
            cursor.execute("set role analyst")
            for table in ("marts.customers", "quality.refresh_log"):
                cursor.execute(f"select * from {table}")
                assert cursor.fetchall()
            forbidden = (
                "restricted.customer_contacts", "published_history.published_tiers", "work_marts.customers",
                "work_restricted.customer_contacts", "raw.orders", "history.published_tiers",
                f"{kept('restricted', first)}.customer_contacts",
            )  # fmt: skip
            for table in forbidden:
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    cursor.execute(f"select * from {table}")
    finally:
        company.execute("drop owned by analyst; drop role analyst")


def test_a_full_refresh_does_not_go_on_from_the_last_one(company: Company) -> None:
    company.refresh()
    company.refresh()
    assert company.goes_on
    company.refresh(from_scratch=True)
    assert not company.goes_on


# -- What goes wrong -------------------------------------------------------------------------------


def test_a_failing_build_or_audit_leaves_the_last_publication(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.refresh()
    company.tier = "gold"
    company.failure = BuildError("test is_right failed.")
    with pytest.raises(BuildError, match="is_right"):
        company.refresh()
    assert company.seen() == ("basic", "basic")
    assert company.last_run() == ("failed", ExitCode.BUILD)
    company.failure = None

    def audit(*_: object) -> AuditSummary:
        raise AuditError("marts", "nothing", "something")

    monkeypatch.setattr(refreshing, "audit", audit)
    with pytest.raises(AuditError):
        company.refresh()
    assert company.seen() == ("basic", "basic")
    assert company.last_run() == ("failed", ExitCode.AUDIT)


def test_one_refresh_of_a_database_at_a_time(company: Company, tmp_path: Path) -> None:
    company.refresh()
    with closing(company.server.connect(company.name)) as other:
        other.cursor().execute("select pg_advisory_lock(%s)", [postgres_publishing.LOCK])
        with pytest.raises(LockedError, match="another refresh of PostgreSQL database"):
            company.refresh()
        with pytest.raises(LockedError):
            rollback(company.warehouse, None)
    company.refresh()


def test_a_run_killed_between_the_database_and_the_folder_is_finished_by_the_next(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = company.refresh()
    company.tier = "gold"
    with monkeypatch.context() as patched:
        patched.setattr(postgres_refresh, "point_to", die)
        in_a_process_that_dies(company.refresh)
    assert company.seen() == ("gold", "basic")

    company.failure = BuildError("not even built.")
    with pytest.raises(BuildError):
        company.refresh()
    assert company.seen() == ("gold", "gold")
    runs = Ledger(company.warehouse).runs()
    assert [run.status for run in runs] == ["published", "published", "failed"]
    rollback(company.warehouse, first)
    assert company.seen() == ("basic", "basic")


@pytest.mark.parametrize("place", ["finish", "show_next"])
def test_a_run_killed_before_readers_saw_it_leaves_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    company.refresh()
    company.tier = "gold"
    with monkeypatch.context() as patched:
        patched.setattr(
            *(
                (postgres_refresh, place)
                if place == "finish"
                else (postgres_publishing.Database, place)
            ),
            die,
        )
        in_a_process_that_dies(company.refresh)
    assert company.seen() == ("basic", "basic")
    assert "next_restricted" in company.schemas()
    company.failure = BuildError("not even built.")
    with pytest.raises(BuildError):
        company.refresh()
    assert not {name for name in company.schemas() if name.startswith("next_")}
    company.failure = None
    company.refresh()
    assert company.seen() == ("gold", "gold")
    assert len(publications(company.warehouse)) == 2


def test_a_folder_that_cannot_be_switched_takes_the_database_back(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.refresh()
    company.tier = "gold"

    def refuse(*_: object) -> None:
        raise BuildError("no room for a link.")

    with monkeypatch.context() as patched:
        patched.setattr(postgres_refresh, "point_to", refuse)
        with pytest.raises(BuildError, match="no room"):
            company.refresh()
    assert company.seen() == ("basic", "basic")
    company.refresh()
    assert company.seen() == ("gold", "gold")


def test_a_reader_in_a_transaction_stops_no_publication(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_publishing, "LOCK_SECONDS", 1)
    first = company.refresh(publications_kept=1)
    with closing(company.server.connect(company.name)) as reader:
        reader.autocommit = False
        cursor = reader.cursor(name="rows")
        cursor.execute("select note from marts.notes order by place")
        cursor.fetchmany(1)
        company.tier = "gold"
        company.refresh(publications_kept=1)
        assert company.seen() == ("gold", "gold")
        assert len(cursor.fetchall()) == len(NOTES) - 1
        assert "next refresh tries again" in company.notes[-1]
        assert kept("marts", first) in company.schemas()
    company.refresh(publications_kept=1)
    assert kept("marts", first) not in company.schemas()


def test_views_that_show_old_figures_are_named(company: Company) -> None:
    company.refresh()
    company.execute(
        "create schema mine; create view mine.tiers as select tier_code from marts.customers"
    )
    company.refresh(publications_kept=1)
    views, left = company.notes[-2:]
    assert views.endswith(
        "views that show an earlier publication, and have to be made again: mine.tiers."
    )
    assert "no longer kept" in left
    assert company.execute("select * from mine.tiers") == [("basic",)]
    company.execute("drop view mine.tiers")
    company.notes.clear()
    company.refresh(publications_kept=1)
    assert company.notes == ["a landed note"]


def test_a_lock_that_does_not_go_stops_the_publication_in_a_sentence(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_publishing, "LOCK_SECONDS", 1)
    monkeypatch.setattr(postgres_publishing, "PATIENCE", 1)
    company.refresh()
    company.tier = "gold"
    with closing(company.server.connect(company.name)) as other:
        other.autocommit = False
        other.cursor().execute("grant usage on schema quality to public")
        with pytest.raises(BuildError, match=r"other sessions hold locks; it was tried for 1 s\.$"):
            company.refresh()
        assert company.seen() == ("basic", "basic")
        assert company.last_run() == ("failed", ExitCode.BUILD)
    company.refresh()
    assert company.seen() == ("gold", "gold")


def test_a_database_that_is_gone_in_the_middle_is_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.refresh()
    company.tier = "gold"
    for place, told in (
        ("prepare", "preparing the database"),
        ("hand_over_erased_ids", "reading the erased ids"),
        ("mirror", "the copy into .*"),
        ("write_next", "the publication"),
        ("_once", "the publication"),  # the transaction that lets readers see it
    ):
        usual = getattr(Database, place)

        def gone(database: Database, *arguments: object, usual=usual) -> object:
            company.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            return usual(database, *arguments)

        with monkeypatch.context() as patched:
            patched.setattr(Database, place, gone)
            with pytest.raises(BuildError, match=rf"^{told} in PostgreSQL database .* failed: "):
                company.refresh()
        assert company.seen() == ("basic", "basic")
        assert company.last_run() == ("failed", ExitCode.BUILD)
    company.refresh()
    assert company.seen() == ("gold", "gold")


def test_erased_persons_go_from_all_schemas_and_folders(company: Company) -> None:
    first = company.refresh()
    company.execute(
        "create schema mine; create view mine.people as table restricted.customer_contacts"
    )
    company.execute("create table shop.requests as select text 'a' as id")
    company.erased = ["a"]
    company.refresh()
    assert company.execute("select customer_id from marts.customers") == [(ERASED,)]
    company.execute("drop table shop.requests")  # as whoever loads it may wish to
    assert [path.name for path in publications(company.warehouse)] != [first]
    assert len(publications(company.warehouse)) == 1
    assert not {name for name in company.schemas() if first[:8].lower() in name}
    holding = company.execute(
        "select table_schema || '.' || table_name from information_schema.columns where column_name = 'customer_id' "
        "and table_schema not in ('raw', 'shop')"
    )
    assert len(holding) >= 5
    for (table,) in holding:
        assert company.execute(f"select * from {table} where customer_id = 'a'") == []
    run = Ledger(company.warehouse).runs()[-1]
    assert "earlier publications that may hold them are removed (1)" in run.message
    with pytest.raises(SourceError):
        rollback(company.warehouse, first)


def test_an_erasure_waits_for_readers_and_is_repeated(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_publishing, "LOCK_SECONDS", 1)
    monkeypatch.setattr(postgres_publishing, "PATIENCE", 1)
    first = company.refresh()
    company.execute("create table shop.requests as select text 'a' as id")
    company.erased = ["a"]
    with closing(company.server.connect(company.name)) as reader:
        reader.autocommit = False
        reader.cursor().execute("select * from restricted.customer_contacts")
        with pytest.raises(BuildError, match="may hold erased persons, failed"):
            company.refresh()
        assert company.last_run() == ("published", ExitCode.BUILD)
    assert kept("restricted", first) in company.schemas()
    company.refresh()
    assert kept("restricted", first) not in company.schemas()
    assert first not in {path.name for path in publications(company.warehouse)}


# -- What is refused before anything is built ------------------------------------------------------


def refused(company: Company, *options: str) -> tuple[int, str]:
    arguments = ("refresh", "--target", "postgres", "--warehouse", company.warehouse)
    code, _, errors = run(*arguments, *(options or ("--vars", "{raw_schema: shop}")))
    assert errors.startswith("Error: ")
    assert errors.count("\n") == 1
    return code, errors


def test_what_is_not_there_or_not_allowed_is_said_in_a_sentence(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, errors = refused(company, "--vars", "{raw_schema: shops}")
    assert (code, "found no schema shops" in errors) == (3, True)
    with monkeypatch.context() as patched:
        patched.setenv("TIERING_POSTGRES_READER", "nobody")
        code, errors = refused(company)
        assert (code, "found 'nobody', which is none" in errors) == (2, True)
    with monkeypatch.context() as patched:
        patched.setenv("TIERING_POSTGRES_PORT", "1")
        code, errors = refused(company)
        assert (code, "no connection" in errors) == (3, True)
    assert company.last_run() == ("failed", 3)
    company.execute("create role stranger login")
    try:
        company.execute("grant usage on schema shop to stranger")
        with monkeypatch.context() as patched:
            patched.setenv("TIERING_POSTGRES_USER", "stranger")
            code, errors = refused(company)
            assert (code, "no right to make schemas for role stranger" in errors) == (3, True)
    finally:
        company.execute("drop owned by stranger; drop role stranger")
    company.execute("create schema marts")
    code, errors = refused(company)
    assert (code, "found schema marts, not as a refresh left them" in errors) == (2, True)


def test_who_cannot_connect_is_told_why_and_no_password_is_written(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "canary-of-a-password"
    company.server.create_guarded_role(company.name, password)
    company.execute(f"alter database {company.name} owner to {company.name}")
    monkeypatch.setenv(USER, company.name)
    monkeypatch.setenv(PASSWORD, password)
    code, errors = refused(company, "--vars", "{raw_schema: shops}")
    assert (code, "no schema shops" in errors) == (ExitCode.SOURCE, True)  # it is let in
    for variable, value, reason in (
        (PASSWORD, f"not-{password}", f'password authentication failed for user "{company.name}"'),
        (PASSWORD, "", "fe_sendauth: no password supplied"),
        (USER, "nobody", 'role "nobody" does not exist'),
        (DATABASE, "nowhere", 'database "nowhere" does not exist'),
        (HOST, "/nowhere", "No such file or directory"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(variable, value)
            code, errors = refused(company)
        assert (code, f"found no connection ({reason}); allowed is" in errors) == (3, True), errors
        assert f"{PASSWORD})" in errors
        assert password not in errors
    written = [path.read_bytes() for path in company.warehouse.rglob("*") if path.is_file()]
    assert written
    assert not [content for content in written if password.encode() in content]


def test_a_folder_and_a_database_belong_together(company: Company, tmp_path: Path) -> None:
    company.refresh()
    arguments = ("refresh", "--warehouse", company.warehouse)
    code, _, errors = run(*arguments, "--vars", "{raw_schema: shop}")
    assert (code, "whose publications are of postgres" in errors) == (2, True)
    other = Company(company.server, company.name, tmp_path / "another")
    other.tier = "gold"
    postgres_refresh.build = other.build  # the fixture puts it back
    other.refresh()  # a new folder goes on with what the database shows
    assert other.seen() == ("gold", "gold")
    with pytest.raises(ConfigurationError, match="which shows run"):
        company.refresh()


def test_no_message_quotes_a_row(company: Company) -> None:
    def words(sql: str) -> str:
        with pytest.raises(psycopg2.Error) as raised:
            company.execute(sql)
        return postgres_publishing.words_of(raised.value)

    secret = "'ann@example.com'"
    assert words(f"select cast({secret} as integer)") == (
        "invalid input syntax for type integer: …"
    )
    table = (
        "create temp table t (x text primary key check (x <> 'b'), y text not null); insert into t "
    )
    duplicate = words(f"{table} values ({secret}, 'y'), ({secret}, 'y')")
    assert duplicate == 'duplicate key value violates unique constraint "t_pkey"'
    assert "ann" not in words(f"{table} values ({secret}, null)")
    assert words("select * from nowhere") == 'relation "nowhere" does not exist'


# -- The project itself ----------------------------------------------------------------------------

SMALL = {  # of the sample company: its first customers and all that names them
    "customers": "customer_id < 'C0050' or customer_id in (select customer_id from erasure_requests)",
    "orders": "customer_id < 'C0050'",
    "order_items": "order_id in (select order_id from orders where customer_id < 'C0050')",
    "refunds": "order_id in (select order_id from orders where customer_id < 'C0050')",
    "exchange_rates": "true",
    "products": "true",
    "erasure_requests": "true",
    "tickets": "customer_id < 'C0050'",
}
QUOTED = "delim = ',', quote = '\"', escape = '\"', header = true"
LATE_ORDER = ("late-1", "C0007", "2024-03-05 10:00:00", "completed", "4321.00")


def write_small(raw: Path) -> None:
    """Write the raw tables of a small company into a folder."""
    raw.mkdir()
    with duckdb.connect() as connection:
        for table in SMALL:
            where = PROJECT / "sample" / ("orders/*" if table == "orders" else f"{table}.csv")
            connection.execute(
                f"create table {table} as from read_csv('{where}', all_varchar = true, {QUOTED})"
            )
        for table, condition in SMALL.items():
            connection.execute(
                f"copy (from {table} where {condition} order by all) to '{raw / table}.csv'"
            )


def load(company: Company, raw: Path) -> None:
    """Copy the raw tables of a folder into the schema shop, all columns text."""
    with duckdb.connect() as source, closing(company.server.connect(company.name)) as connection:
        cursor = connection.cursor()
        for file in sorted(raw.glob("*.csv")):
            rows = source.execute(f"from read_csv('{file}', all_varchar = true, {QUOTED})")
            columns = ", ".join(f"{column[0]} text" for column in rows.description)
            cursor.execute(f"drop table if exists shop.{file.stem}")
            cursor.execute(f"create table shop.{file.stem} ({columns})")
            execute_values(cursor, f"insert into shop.{file.stem} values %s", rows.fetchall())


def refreshed(warehouse: Path, *options: object, **project_vars: object) -> str:
    """Refresh by the command line; gives what it printed."""
    written = json.dumps({"run_date": "2026-01-31", **project_vars})
    code, output, errors = run("refresh", "--warehouse", warehouse, "--vars", written, *options)
    assert code == ExitCode.OK, errors
    return output


def differing(one: Path, other: Path) -> set[str]:
    """The Parquet copies whose bytes differ, or that only one publication has."""
    files = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}
        for folder in (one / "current" / "parquet", other / "current" / "parquet")
    ]
    names = {*files[0], *files[1]}
    return {name for name in names if files[0].get(name) != files[1].get(name)}


def test_the_project_publishes_what_it_does_on_duckdb(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(server, "project", tmp_path / "on_postgres")
    server.create_database(company.name)
    company.execute("create schema shop")
    for variable, value in server.environment(company.name).items():
        monkeypatch.setenv(variable, value)
    raw, on_duckdb = tmp_path / "raw", tmp_path / "on_duckdb"
    write_small(raw)

    def refreshed_on_both() -> str:
        load(company, raw)
        refreshed(on_duckdb, "--raw", raw)
        output = refreshed(company.warehouse, "--target", "postgres", raw_schema="shop")
        assert differing(company.warehouse, on_duckdb) == {"quality/refresh_log.parquet"}
        return output

    assert re.search(r"(\d+) of \1 review periods computed", refreshed_on_both())
    with (raw / "orders.csv").open("a") as file:
        header = (raw / "orders.csv").read_text().partition("\n")[0].split(",")
        late = dict(zip(("order_id", "customer_id", "ordered_at", "status", "order_amount"), LATE_ORDER, strict=True))  # fmt: skip
        file.write(",".join(late.get(column, "") for column in header) + "\n")
    computed, periods = re.search(
        r"(\d+) of (\d+) review periods computed", refreshed_on_both()
    ).groups()
    assert 0 < int(computed) < int(periods)

    # what the gate finds stops it in words
    company.execute("update shop.orders set status = 'mislaid'")
    code, _, errors = run(
        *("refresh", "--warehouse", company.warehouse, "--target", "postgres"),
        *("--vars", json.dumps({"run_date": "2026-01-31", "raw_schema": "shop"})),
    )
    assert code == ExitCode.SOURCE
    assert "mislaid" in errors
    assert differing(company.warehouse, on_duckdb) == {"quality/refresh_log.parquet"}

    # and what the database itself refuses, without its values
    company.execute(
        "alter table shop.tickets rename to other_tickets; create view shop.tickets as select ticket_id, customer_id, "
        "cast(customer_id || '@canary.test' as date) as opened_at from shop.other_tickets"
    )
    code, _, errors = run(
        *("refresh", "--warehouse", company.warehouse, "--target", "postgres"),
        *("--vars", json.dumps({"run_date": "2026-01-31", "raw_schema": "shop"})),
    )
    assert code == ExitCode.BUILD
    assert "invalid input syntax for type date: …" in errors
    written = [
        path.read_text()
        for path in company.warehouse.glob("*/*.*")
        if path.suffix in (".log", ".json")
    ]
    assert len(written) > 2
    assert not [text for text in written if "@canary.test" in text]
