"""Any sequence of loads, corrections, erasures, refreshes, kills and rollbacks: what readers see is a full
rebuild of what was loaded when it was published.

The machine below keeps in mind which raw rows there are and at which refresh they were seen. What it
expects is a build of all models from nothing over those rows, erased as the oracle erases, so that neither
dbt's landing nor anything kept from an earlier build has a part in it. It runs with two builds: the real one
by dbt, slow, for one sequence that needs every rule; and the same models by ``IncrementalProject``, for many.

TIERING_SEQUENCES=20 tries twenty times as many sequences, by dbt too, other ones each time, and shrinks what fails.
"""

from __future__ import annotations

import csv
import json
import os
import pickle
import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import oracle
import pytest
from compiled_project import CompiledProject
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from incremental_project import IncrementalProject
from oracle.erasure import anonymous_ids
from oracle.reading import CONTRACT, Setting
from raw_companies import companies
from refresh_process import BEFORE_IT_IS_SEEN, PROJECT, WHEN_IT_IS_SEEN, Order, StandInBuild

from customer_tiering.locking import is_locked
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    WORK,
    current_publication,
    open_publication,
    publications,
    verify,
)
from customer_tiering.refreshing import rollback
from customer_tiering.runs import Ledger, Run

MANY = int(os.environ.get("TIERING_SEQUENCES", "0"))
RUN_DATE = date(2026, 1, 31)
PROJECT_VARS = {
    "run_date": str(RUN_DATE),
    "publications_kept": 3,
    "min_free_megabytes": 0,
    "source_max_shrink_percent": 100,  # files come and go
}
OTHER_RULES = {"tier_grace_periods": 3}
FAR_AHEAD = datetime(2100, 1, 1).timestamp()
PATIENCE = 600  # seconds after which something that must happen counts as not happening
NOT_COMPARED = {"marts.published_tier_changes", "quality.refresh_log"}
RAGGED = "order_id,customer_id\n1,2,3,4\n"

Row = dict[str, str | None]


# -- Raw files -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RawFile:
    """What a raw file holds. One whose time lies ahead may be written again without a trace of it."""

    table: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    modified_at: float

    @property
    def is_old(self) -> bool:
        return self.modified_at < FAR_AHEAD


def raw_file(table: str, rows: list[Row], modified_at: float, is_wide: bool = False) -> RawFile:
    """A file of rows, with all columns of the contract or those that have a value."""
    clean = [{c.name: row.get(c.name) or None for c in CONTRACT[table].columns} for row in rows]
    columns = tuple(
        column.name
        for column in CONTRACT[table].columns
        if is_wide or column.is_required or any(row[column.name] for row in clean)
    )
    return RawFile(table, tuple(clean), columns, modified_at)


def write(path: Path, file: RawFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            columns = ", ".join(f"{name} varchar" for name in file.columns)
            connection.execute(f"create table written ({columns})")
            for row in file.rows:
                marks = ", ".join("?" for _ in file.columns)
                connection.execute(
                    f"insert into written values ({marks})", [row[name] for name in file.columns]
                )
            # numbers as numbers where all of them are written as such
            seconds = [row.get("duration_seconds") for row in file.rows]
            is_typed = "duration_seconds" in file.columns and all(
                value is None
                or (str(value).isdigit() and str(int(value)) == value and len(value) < 9)
                for value in seconds
            )
            query = "from written"
            if is_typed:
                query = (
                    "select * replace (cast(duration_seconds as bigint) as duration_seconds) "
                    "from written"
                )
            connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    else:
        with path.open("w", encoding="utf-8", newline="") as target:
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(file.columns)
            writer.writerows([row[name] for name in file.columns] for row in file.rows)
    os.utime(path, (file.modified_at, file.modified_at))


# -- What was loaded, and what a full rebuild makes of it ------------------------------------------


@dataclass(frozen=True)
class Loaded:
    """What a refresh found: raw files by path, and whether by the other rules."""

    files: Mapping[str, RawFile]
    has_other_rules: bool

    def rows(self) -> dict[str, list[Row]]:
        rows: dict[str, list[Row]] = {table: [] for table in CONTRACT}
        for file in self.files.values():
            rows[file.table] += file.rows
        return rows

    def erased_ids(self) -> dict[str, str]:
        return anonymous_ids(self.rows(), Setting(oracle_rules(), RUN_DATE))

    def landed(self) -> dict[str, list[Row]]:
        """The rows as they may be landed, and which columns were there."""
        landed = oracle.erased(self.rows(), oracle_rules(), RUN_DATE)
        there = {(file.table, name) for file in self.files.values() for name in file.columns}
        landed["landed_columns"] = [
            {
                "source_table": table,
                "column_name": column.name,
                "is_required": str(column.is_required).lower(),
                "is_landed": str((table, column.name) in there).lower(),
            }
            for table, contract in CONTRACT.items()
            for column in contract.columns
        ]
        return landed


def oracle_rules() -> oracle.Rules:
    return oracle.Rules.from_seeds(PROJECT / "seeds")


# What tells publications apart, and shows that all that is read at once belongs together.
SUMS = """
    select
        (select count(*) from marts.orders), (select sum(net_amount) from marts.orders),
        (select count(*) from marts.customers), (select sum(lifetime_revenue) from marts.customers),
        (select count(*) from marts.customer_periods), (select sum(monetary) from marts.customer_periods),
        (select sum(rows_in) from quality.reconciliation)
"""


def differing_rows(expected: duckdb.DuckDBPyConnection, publication: Path) -> list[str]:
    """The tables of a publication that a rebuild does not give row for row."""
    found = []
    expected.execute(f"attach '{publication / PUBLICATION}' as published (read_only)")
    expected.execute(f"attach '{publication / RESTRICTED}' as published_apart (read_only)")
    tables = {
        f"{schema}.{table}": database
        for database, schema, table in expected.execute(
            "select table_catalog, table_schema, table_name from information_schema.tables "
            "where table_catalog in ('published', 'published_apart') and table_schema <> 'history'"
        ).fetchall()
    }
    built = {
        name
        for (name,) in expected.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_catalog = 'work' and table_schema in ('marts', 'quality', 'restricted')"
        ).fetchall()
    }
    assert built <= set(tables)
    assert set(tables) - built <= NOT_COMPARED
    for name in sorted(built - NOT_COMPARED):
        ours, theirs = f"work.{name}", f"{tables[name]}.{name}"
        if name == "quality.warnings":  # one tells of the last publication, not of the data
            theirs = f"(from {theirs} where warning_code <> 'no_new_orders') as theirs"
        columns = [row[0] for row in expected.execute(f"describe from {theirs}").fetchall()]
        listed = ", ".join(f'cast("{column}" as varchar)' for column in columns)
        for title, one, other in (("missing", ours, theirs), ("unexpected", theirs, ours)):
            rows = expected.execute(
                f"select {listed} from {one} except all select {listed} from {other}"
            ).fetchall()
            if rows:
                found.append(f"{name}: {len(rows)} {title}, such as {columns} {rows[:3]}")
    return found


# -- Readers ---------------------------------------------------------------------------------------


class Reader:
    """Opens the publication every so many seconds and notes what it saw, by run; holds its first one open."""

    def __init__(self, warehouse: Path, pause: float) -> None:
        self.path = warehouse / PUBLICATION
        self.pause = pause
        self.seen: set[tuple[str, tuple]] = set()
        self.error: Exception | None = None
        self.is_done = threading.Event()

    def read(self, connection: duckdb.DuckDBPyConnection) -> tuple[str, tuple]:
        (run_id,) = connection.execute("select max(run_id) from quality.refresh_log").fetchone()
        return run_id, connection.execute(SUMS).fetchone()

    def go_on_reading(self) -> None:
        try:
            while not self.is_done.wait(self.pause):
                with open_publication(self.path) as connection:
                    self.seen.add(self.read(connection))
        except Exception as error:
            self.error = error

    @contextmanager
    def reading(self) -> Iterator[None]:
        with open_publication(self.path) as opened:
            first = self.read(opened)
            thread = threading.Thread(target=self.go_on_reading)
            thread.start()
            try:
                yield
            finally:
                self.is_done.set()
                thread.join()
            assert self.read(opened) == first
        if self.error:
            raise self.error


# -- One warehouse, and what is needed to refresh it -----------------------------------------------


@dataclass
class Workshop:
    """A raw folder and a warehouse, begun anew for every sequence from one that was refreshed once."""

    folder: Path
    full: Callable[..., CompiledProject]
    stand_in: IncrementalProject | None
    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 20.0
    first_sums: tuple | None = None  # of the first publication, once it was compared

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def work(self) -> Path:
        return self.warehouse / WORK

    def project(self, loaded: Loaded) -> CompiledProject:
        return self.full(**OTHER_RULES) if loaded.has_other_rules else self.full()

    def keep_as_start(self) -> None:
        for path in (self.raw, self.warehouse):
            shutil.copytree(path, self.folder / "start" / path.name, symlinks=True)

    def begin_anew(self) -> None:
        for path in (self.raw, self.warehouse):
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(self.folder / "start" / path.name, path, symlinks=True)

    def refresh(
        self, loaded: Loaded, kill_at: str | None = None, nodes: int = 0, after: float | None = None
    ) -> tuple[int, str]:
        """Refresh in a process, killed at a stage or after some seconds; gives its exit code and words."""
        order = Order(
            raw=str(self.raw),
            warehouse=str(self.warehouse),
            project_vars={**PROJECT_VARS, **(OTHER_RULES if loaded.has_other_rules else {})},
            kill_at=kill_at,
            nodes=nodes,
        )
        if self.stand_in:
            erased = loaded.erased_ids()
            order = replace(order, build=str(self.folder / "build"))
            build = StandInBuild(
                self.stand_in,
                loaded.landed(),
                repr(sorted(erased.items())),
                sorted(erased),
                published_by=PUBLISHED_BY,
            )
            Path(order.build).write_bytes(pickle.dumps(build))
        began = time.monotonic()
        process = subprocess.Popen(
            order.command(),
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, errors = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
        deadline = time.monotonic() + PATIENCE
        while is_locked(self.warehouse):
            assert time.monotonic() < deadline, "the lock is held still"
            time.sleep(0.02)
        if process.returncode == 0:
            self.seconds = time.monotonic() - began
        self.counts["refreshes" if process.returncode == 0 else "refreshes that ended early"] += 1
        return process.returncode, errors


PUBLISHED_BY = {
    **dict.fromkeys(("customer_periods", "tier_change_details"), "period"),
    **dict.fromkeys(("orders", "order_items"), "month"),
}


# -- A company -------------------------------------------------------------------------------------

PEOPLE = [f"p{number}" for number in range(12)]
FIRST_DAY, FIRST_TODAY = date(2024, 1, 5), date(2025, 3, 28)


def first_company() -> dict[str, list[Row]]:
    """A dozen customers over fifteen months, with all that belongs to them."""
    orders, items, tickets, visits, answers = [], [], [], [], []
    chance, day, number = random.Random(12), FIRST_DAY, 0
    while day <= FIRST_TODAY:
        who = chance.choice(PEOPLE)
        amount = f"{10 + number * 37 % 190}.00"
        orders.append(
            {
                "order_id": f"A{number}",
                "customer_id": who,
                "ordered_at": f"{day} 12:00:00",
                "status": "completed" if number % 11 else "returned",
                "order_amount": amount,
                "channel": ["app", "store"][number % 2],
                "returned_at": None if number % 11 else f"{day + timedelta(days=50)}",
            }
        )
        items.append(
            {
                "order_id": f"A{number}",
                "line_number": "1",
                "product_id": f"r{number % 4}",
                "line_amount": amount,
            }
        )
        if number % 4 == 0:
            tickets.append(
                {
                    "ticket_id": f"T{number}",
                    "customer_id": who,
                    "opened_at": f"{day}",
                    "closed_at": f"{day + timedelta(days=9)}",
                    "ticket_type": "complaint",
                    "satisfaction_score": str(number % 5 + 1),
                }
            )
            visits.append(
                {
                    "interaction_id": f"I{number}",
                    "customer_id": who,
                    "occurred_at": f"{day}",
                    "channel": "app",
                    "interaction_type": "usage",
                    "duration_seconds": str(number * 60),
                }
            )
            answers.append(
                {
                    "response_id": f"S{number}",
                    "customer_id": who,
                    "responded_at": f"{day}",
                    "survey_type": "nps",
                    "score": str(number % 11),
                }
            )
        day += timedelta(days=4 + number % 3)
        number += 1
    customers = [
        {
            "customer_id": who,
            "customer_type": "person",
            "full_name": f"Name of {who}",
            "email": f"{who}@example.com",
            "city": "Oslo",
            "signed_up_at": "2024-01-01",
            "marketing_consent": "true",
        }
        for who in PEOPLE
    ]
    products = [
        {"product_id": f"r{n}", "category": ["tea", "books"][n % 2], "product_type": "product"}
        for n in range(4)
    ]
    return {
        "customers": customers,
        "orders": orders,
        "order_items": items,
        "products": products,
        "tickets": tickets,
        "interactions": visits,
        "survey_responses": answers,
    }


@st.composite
def facts(draw: st.DrawFn, name: str, first: date, last: date) -> dict[str, list[Row]]:
    """Rows about known customers, all of what became known between two days. ``name`` begins their ids."""

    def moment() -> str:
        days = draw(st.integers(0, (last - first).days))
        return f"{first + timedelta(days=days)} {draw(st.sampled_from(['00:00:00', '23:59:59']))}"

    def some(most: int, make: Callable[[int], Row], least: int = 0) -> list[Row]:
        return [make(number) for number in range(draw(st.integers(least, most)))]

    who = st.sampled_from(PEOPLE)
    orders = some(
        4,
        lambda n: {
            "order_id": f"{name}o{n}",
            "customer_id": draw(who),
            "ordered_at": moment(),
            "status": draw(st.sampled_from(["completed", "completed", "pending", "cancelled"])),
            "order_amount": draw(st.sampled_from(["15.00", "80.50", "900.00"])),
            "channel": draw(st.sampled_from(["app", None])),
        },
        least=1,
    )
    return {
        "orders": orders,
        "order_items": some(
            2,
            lambda n: {
                "order_id": draw(st.sampled_from(orders))["order_id"],
                "line_number": str(n),
                "product_id": draw(st.sampled_from(["r0", "r1", "r9"])),
                "line_amount": "15.00",
            },
        ),
        "tickets": some(
            2,
            lambda n: {
                "ticket_id": f"{name}t{n}",
                "customer_id": draw(who),
                "opened_at": moment(),
                "ticket_type": draw(st.sampled_from(["complaint", "question"])),
                "satisfaction_score": draw(st.sampled_from(["1", "5", None])),
            },
        ),
        "interactions": some(
            2,
            lambda n: {
                "interaction_id": f"{name}i{n}",
                "customer_id": draw(who),
                "occurred_at": moment(),
                "interaction_type": draw(st.sampled_from(["usage", "visit"])),
                "duration_seconds": draw(st.sampled_from(["60", "7200", "1e3", None])),
            },
        ),
        "survey_responses": some(
            2,
            lambda n: {
                "response_id": f"{name}s{n}",
                "customer_id": draw(who),
                "responded_at": moment(),
                "survey_type": "nps",
                "score": draw(st.sampled_from(["0", "8", "10"])),
            },
        ),
        "referrals": some(
            1,
            lambda n: {
                "referral_id": f"{name}r{n}",
                "referrer_customer_id": draw(who),
                "referred_at": moment(),
            },
        ),
        "account_balances": some(
            2,
            lambda n: {
                "customer_id": draw(who),
                "account_id": draw(st.sampled_from(["k", None])),
                "balance_date": moment()[:10],
                "balance_amount": draw(st.sampled_from(["250.00", "-3.50", "90000"])),
            },
        ),
        "customer_attributes": some(
            2,
            lambda n: {
                "customer_id": draw(who),
                "attribute": draw(st.sampled_from(["diet", "hobby"])),
                "value": draw(st.sampled_from(["tea", "vegan"])),
                "updated_at": draw(st.sampled_from([moment(), None])),
            },
        ),
        "campaign_contacts": some(
            1,
            lambda n: {
                "campaign_id": draw(st.sampled_from(["k1", "k9"])),
                "customer_id": draw(who),
                "contacted_at": moment(),
                "contact_group": draw(st.sampled_from(["treatment", "holdout"])),
            },
        ),
    }


# -- The machine -----------------------------------------------------------------------------------


@dataclass
class Known:
    """What is known of a run that may have been published; its sums once it was compared."""

    loaded: Loaded
    sums: tuple | None = None


# A refresh is dear: there are none while nothing has changed since one that succeeded.
worth_a_run = precondition(lambda self: self.is_worth_a_run)


class Sequences(RuleBasedStateMachine):
    """A warehouse, its raw folder, and what the two are expected to be."""

    workshop: Workshop  # set by the test

    @initialize()
    def begin(self) -> None:
        self.workshop.begin_anew()
        self.files = dict(START)
        self.names = 0
        self.has_other_rules = False
        self.current = current_publication(self.workshop.warehouse).name
        self.known = {self.current: Known(self.loaded(), self.workshop.first_sums)}
        self.compare()
        self.workshop.first_sums = self.known[self.current].sums
        # what the last whole build knew, whether only later facts have come since, and from which day on
        self.built = self.loaded()
        self.landed = self.landed_files()
        self.came_later = True
        self.new_from = date.max
        self.is_worth_a_run = False
        self.workshop.counts["sequences"] += 1

    # -- Raw files -----------------------------------------------------------------------------

    def loaded(self) -> Loaded:
        return Loaded(dict(self.files), self.has_other_rules)

    def new_name(self) -> str:
        self.names += 1
        return f"n{self.names:03d}"

    def put(self, path: str, file: RawFile) -> None:
        self.files[path] = file
        write(self.workshop.raw / path, file)
        self.is_worth_a_run = True

    def load(
        self, tables: Mapping[str, list[Row]], is_wide: bool = False, is_old: bool = True
    ) -> None:
        name = self.new_name()
        for table, rows in tables.items():
            if rows:
                self.put(path_of(table, name), raw_file(table, rows, self.moment(is_old), is_wide))

    def moment(self, is_old: bool = True) -> float:
        """A time of a file long ago, another one each time; or one that is ahead of all landings."""
        self.names += 1
        return datetime(2026, 1, 1).timestamp() + 60 * self.names if is_old else FAR_AHEAD

    def today(self) -> date:
        """The day of the newest order, whether it counts or not."""
        days = [FIRST_TODAY]
        for row in self.loaded().rows()["orders"]:
            with suppress(ValueError):
                days.append(date.fromisoformat((row["ordered_at"] or "").strip()[:10]))
        return max(day for day in days if day <= RUN_DATE)

    def some_file(self, data: st.DataObject, table: str | None = None) -> str:
        paths = [path for path in sorted(self.files) if table in (None, self.files[path].table)]
        return data.draw(st.sampled_from(paths))

    def some_row(self, data: st.DataObject, file: RawFile) -> int:
        """The number of one of the last rows: with the first ones nothing would be left to keep."""
        most = min(len(file.rows) - 1, 30)
        return len(file.rows) - 1 - data.draw(st.integers(0, most))

    @precondition(lambda self: self.today() < RUN_DATE - timedelta(days=60))
    @rule(data=st.data(), is_wide=st.booleans(), is_old=st.booleans())
    def load_what_is_new(self, data: st.DataObject, is_wide: bool, is_old: bool) -> None:
        first = self.today() + timedelta(days=1)
        self.new_from = min(self.new_from, first)
        window = facts(self.new_name(), first, first + timedelta(days=40))
        self.load(data.draw(window), is_wide, is_old)

    @rule(data=st.data(), days=st.integers(40, 200))
    def load_what_is_late(self, data: st.DataObject, days: int) -> None:
        first = self.today() - timedelta(days=days)
        self.load(data.draw(facts(self.new_name(), first, first + timedelta(days=35))))
        self.came_later = False

    @rule(company=companies(max_orders=8))
    def load_anything(self, company: dict[str, list[Row]]) -> None:
        """Rows with all that can be wrong with them, some with ids that were there before."""
        self.load(company)
        self.came_later = False

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """An old file comes again under another name."""
        file = self.files[self.some_file(data)]
        path = path_of(file.table, self.new_name())
        self.put(path, replace(file, modified_at=self.moment()))
        self.came_later = False

    @rule(data=st.data())
    def change_without_a_trace(self, data: st.DataObject) -> None:
        """Other contents of the same size; of a file whose time says nothing, at the same time."""
        path = self.some_file(data, "orders")
        file = self.files[path]
        number = self.some_row(data, file)
        row = dict(file.rows[number])
        digits = str.maketrans("0123456789", "1234567890")
        row["order_amount"] = (row["order_amount"] or "").translate(digits) or None
        rows = (*file.rows[:number], row, *file.rows[number + 1 :])
        modified_at = self.moment() if file.is_old else file.modified_at
        size = (self.workshop.raw / path).stat().st_size
        self.put(path, replace(file, rows=rows, modified_at=modified_at))
        assert (self.workshop.raw / path).stat().st_size == size
        self.came_later = False

    @rule(data=st.data(), is_old=st.booleans())
    def shorten(self, data: st.DataObject, is_old: bool) -> None:
        """A file is written again without one of its rows."""
        path = self.some_file(data)
        file = self.files[path]
        if len(file.rows) > 1:
            number = self.some_row(data, file)
            rows = file.rows[:number] + file.rows[number + 1 :]
            self.put(path, replace(file, rows=rows, modified_at=self.moment(is_old)))
            self.came_later = False

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.take_away(self.some_file(data))

    def take_away(self, path: str) -> None:
        table = self.files[path].table
        is_last = sum(file.table == table for file in self.files.values()) == 1
        if not (is_last and table in ("customers", "orders")):
            del self.files[path]
            (self.workshop.raw / path).unlink()
            self.came_later = False
            self.is_worth_a_run = True

    @rule(data=st.data(), days=st.integers(1, 150))
    def refund(self, data: st.DataObject, days: int) -> None:
        """Of one of the last orders, mostly after its period has closed."""
        order = data.draw(st.sampled_from(START["orders/first.csv"].rows[-40:]))
        day = min(date.fromisoformat(order["ordered_at"][:10]) + timedelta(days=days), RUN_DATE)
        amount = data.draw(st.sampled_from([order["order_amount"], "5.00"]))
        name = self.new_name()
        row = {"refund_id": name, "order_id": order["order_id"], "refunded_at": f"{day}"}
        self.load({"refunds": [{**row, "refund_amount": amount}]})
        self.came_later = False

    @rule(pair=st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2), day=st.integers(1, 9))
    def merge(self, pair: list[str], day: int) -> None:
        keys = ("from_customer_id", "into_customer_id", "merged_at")
        self.load({"customer_merges": [dict(zip(keys, [*pair, f"2025-01-0{day}"], strict=True))]})
        self.came_later = False

    @rule(who=st.sampled_from([*PEOPLE, "nobody"]), day=st.integers(1, 9))
    def erase(self, who: str, day: int) -> None:
        row = {"customer_id": who, "requested_at": f"2025-02-0{day}"}
        self.load({"erasure_requests": [row]})
        self.came_later = False

    @precondition(lambda self: self.of_table("erasure_requests", "customer_merges"))
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        """An erasure or a merge."""
        self.take_away(
            data.draw(st.sampled_from(self.of_table("erasure_requests", "customer_merges")))
        )

    def of_table(self, *tables: str) -> list[str]:
        return [path for path in sorted(self.files) if self.files[path].table in tables]

    @precondition(lambda self: self.workshop.stand_in is None)
    @rule()
    def change_rules(self) -> None:
        self.has_other_rules = not self.has_other_rules
        self.is_worth_a_run = True

    # -- Runs ----------------------------------------------------------------------------------

    @worth_a_run
    @rule()
    def refresh(self) -> None:
        self.run()

    @worth_a_run
    @rule(kill_at=st.sampled_from(BEFORE_IT_IS_SEEN), nodes=st.integers(0, 110))
    def refresh_killed_before_it_is_seen(self, kill_at: str, nodes: int) -> None:
        self.run(kill_at, nodes)

    @worth_a_run
    @rule(kill_at=st.sampled_from(WHEN_IT_IS_SEEN))
    def refresh_killed_when_it_is_seen(self, kill_at: str) -> None:
        self.run(kill_at)

    @worth_a_run
    @rule(part=st.floats(0, 1))
    def refresh_killed_at_some_moment(self, part: float) -> None:
        self.run(after=part * self.workshop.seconds)

    @precondition(lambda self: self.workshop.stand_in is None)
    @rule(data=st.data())
    def refresh_of_a_damaged_file(self, data: st.DataObject) -> None:
        """It fails; the file is then repaired."""
        path = self.some_file(data, "orders")
        (self.workshop.raw / path).write_text(RAGGED)
        code, errors = self.workshop.refresh(self.loaded())
        assert code == 3, errors
        assert path in errors
        self.put(path, replace(self.files[path], modified_at=self.moment()))
        self.came_later = False
        assert self.runs()[-1].status == "failed"
        assert self.seen() == self.current

    @rule(number=st.integers(0, 5))
    def roll_back(self, number: int) -> None:
        kept = [path.name for path in publications(self.workshop.warehouse)]
        target = kept[number % len(kept)]
        rollback(self.workshop.warehouse, target)
        self.current = target
        self.is_worth_a_run = True
        self.compare()
        self.workshop.counts["rollbacks"] += 1

    @invariant()
    def readers_see_the_publication(self) -> None:
        assert self.seen() == self.current

    def teardown(self) -> None:
        """In the end nothing is in the way of a refresh."""
        if hasattr(self, "files"):
            self.run()

    # -- What must hold ------------------------------------------------------------------------

    def run(self, kill_at: str | None = None, nodes: int = 0, after: float | None = None) -> None:
        warehouse, loaded, before = self.workshop.warehouse, self.loaded(), self.runs()
        goes_on = self.can_go_on(loaded)
        reader = Reader(warehouse, pause=self.workshop.seconds / 20)
        with reader.reading():
            code, errors = self.workshop.refresh(loaded, kill_at, nodes, after)
        self.is_worth_a_run = code != 0
        started = self.runs()[len(before) :]
        for run in started:
            self.known[run.run_id] = Known(loaded)
        if code == 0:
            assert self.seen() == started[-1].run_id
            assert started[-1].status == "published"
        elif code < 0 and after is not None:
            assert self.seen() in {self.current, *(run.run_id for run in started)}
        elif code < 0:
            assert kill_at, errors
            is_seen = kill_at in WHEN_IT_IS_SEEN
            assert self.seen() == (started[-1].run_id if is_seen else self.current)
        else:
            assert kill_at == "failure", errors
            assert code == 4, errors
            assert self.seen() == self.current
        self.current = self.seen()
        self.compare()
        for run_id, sums in reader.seen:
            assert sums == self.known[run_id].sums
        self.workshop.counts["reads"] += len(reader.seen)
        if started and started[-1].stage in ("audit", "publish"):
            self.see_what_was_kept(loaded, goes_on, before)
        if code == 0 and loaded.erased_ids():
            # of the erased nothing is left to go back to
            for path in publications(warehouse):
                known = self.known[path.name].loaded
                assert known.erased_ids().keys() == loaded.erased_ids().keys()
        if code == 0:
            assert len(publications(warehouse)) <= PROJECT_VARS["publications_kept"]

    def compare(self) -> None:
        """The publication that readers see is whole, and a full rebuild of what it was made of."""
        publication = current_publication(self.workshop.warehouse)
        assert publication.name == self.current
        verify(publication)
        known = self.known[self.current]
        if known.sums is None:
            project = self.workshop.project(known.loaded)
            with project.build(known.loaded.landed()) as expected:
                found = differing_rows(expected, publication)
                assert not found, "\n".join(found)
                known.sums = expected.execute(SUMS).fetchone()
            self.workshop.counts["publications compared"] += 1

    def can_go_on(self, loaded: Loaded) -> bool:
        """Whether the next build goes on from the last one: that was whole, and by the same rules."""
        refreshes = [run for run in self.runs() if run.kind == "refresh"]
        return (
            refreshes[-1].stage in ("audit", "publish")
            and loaded.has_other_rules == self.built.has_other_rules
            and loaded.erased_ids() == self.built.erased_ids()
        )

    def see_what_was_kept(self, loaded: Loaded, goes_on: bool, before: list[Run]) -> None:
        """Periods before all that is new are kept, and files that are as they were not read again."""
        with duckdb.connect(str(self.workshop.work), read_only=True) as connection:
            (kept,) = connection.execute("select periods_kept from builds.last_build").fetchone()
            closed = connection.execute(
                "select count(*) from marts.review_periods "
                "where not is_open_period and period_end <= $1 and period_end < $2",
                [next(run.as_of_date for run in reversed(before) if run.as_of_date), self.new_from],
            ).fetchone()[0]
        if not goes_on:
            assert kept == 0
            self.workshop.counts["builds from scratch"] += 1
        elif self.came_later:
            assert kept == closed
        self.workshop.counts["builds that kept periods"] += kept > 0
        landed = self.landed_files()
        for table in CONTRACT if goes_on and not self.workshop.stand_in else ():
            self.see_what_was_read(table, loaded, landed)
        self.built, self.landed, self.came_later = loaded, landed, True
        self.new_from = date.max

    def see_what_was_read(self, table: str, loaded: Loaded, landed: dict[str, datetime]) -> None:
        before = {p: f for p, f in self.built.files.items() if f.table == table}
        now = {p: f for p, f in loaded.files.items() if f.table == table}
        is_added_to = bool(before) and all(
            file.is_old and now.get(path) == file for path, file in before.items()
        )
        assert set(now) == {path for path in landed if path.startswith(f"{table}/")}
        for path in before.keys() & now.keys():
            if table != "interactions":  # of which a file may come with other types
                assert (landed[path] == self.landed[path]) == is_added_to, path
            self.workshop.counts["files not read again"] += landed[path] == self.landed[path]

    def landed_files(self) -> dict[str, datetime]:
        """When each raw file was landed; nothing where dbt does not build."""
        if self.workshop.stand_in:
            return {}
        with duckdb.connect(str(self.workshop.work), read_only=True) as connection:
            rows = connection.execute(
                "select file, run_started_at from builds.landed_files"
            ).fetchall()
        return {str(Path(file).relative_to(self.workshop.raw)): moment for file, moment in rows}

    def runs(self) -> list[Run]:
        return Ledger(self.workshop.warehouse).runs()

    def seen(self) -> str:
        return current_publication(self.workshop.warehouse).name


def path_of(table: str, name: str) -> str:
    return f"{table}/{name}.{'parquet' if table == 'interactions' else 'csv'}"


START = {
    path_of(table, "first"): raw_file(table, rows, datetime(2025, 12, 31).timestamp())
    for table, rows in first_company().items()
}


# -- Tests -----------------------------------------------------------------------------------------


def workshop_in(
    folder: Path, full: Callable[..., CompiledProject], stand_in: IncrementalProject | None = None
) -> Workshop:
    workshop = Workshop(folder, full, stand_in)
    for path, file in START.items():
        write(workshop.raw / path, file)
    code, errors = workshop.refresh(Loaded(START, False))
    assert code == 0, errors
    workshop.keep_as_start()
    return workshop


def machine_of(workshop: Workshop) -> type[Sequences]:
    return type("Machine", (Sequences,), {"workshop": workshop})


def run_sequences(workshop: Workshop, examples: int, steps: int) -> Counter[str]:
    """Try sequences; gives what has happened in all of them together."""
    phases = [Phase.generate, Phase.shrink] if MANY else [Phase.generate]
    run_state_machine_as_test(
        machine_of(workshop),
        settings=settings(
            max_examples=examples * (MANY or 1),
            stateful_step_count=steps,
            derandomize=not MANY,
            deadline=None,
            database=None,
            phases=phases,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(json.dumps(workshop.counts, indent=1))
    return workshop.counts


@pytest.fixture(scope="module")
def refreshed_once(compiled, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop in which dbt builds; each sequence begins with what its first refresh left."""
    return workshop_in(tmp_path_factory.mktemp("workshop"), compiled)


@pytest.fixture
def workshop(refreshed_once: Workshop) -> Workshop:
    refreshed_once.counts.clear()
    return refreshed_once


def test_a_sequence_that_needs_every_rule(workshop: Workshop) -> None:
    """What is new is added, what is not is kept; what has changed, or whose basis has, is built anew."""
    one = machine_of(workshop)()
    one.begin()

    # to tickets a file is added, of orders one has changed, and a refund is late
    ticket = {"ticket_id": "L", "customer_id": "p1", "opened_at": "2025-04-20"}
    one.load({"tickets": [{**ticket, "ticket_type": "complaint"}]})
    later = {"ordered_at": "2025-04-20", "status": "completed", "customer_id": "p1"}
    one.load({"orders": [{**later, "order_id": "L1", "order_amount": "70.00"}]})
    file = one.files["orders/first.csv"]
    rows = (*file.rows[:-1], {**file.rows[-1], "order_amount": "99.00"})
    one.put("orders/first.csv", replace(file, rows=rows, modified_at=one.moment()))
    refund = {"refund_id": "R", "order_id": "A70", "refunded_at": "2025-02-27"}
    one.load({"refunds": [{**refund, "refund_amount": "5.00"}]})
    one.came_later = False
    one.run()
    assert workshop.counts["builds that kept periods"] == 1
    assert workshop.counts["files not read again"] > 0

    one.erase("p3", 1)
    one.run(kill_at="traces")
    assert workshop.counts["builds from scratch"] == 1
    one.load({"orders": [{**later, "order_id": "L3", "order_amount": "10.00"}]})
    one.run(kill_at="build", nodes=70)
    for path in one.of_table("erasure_requests"):
        one.take_away(path)
    one.run()
    assert workshop.counts["builds from scratch"] == 2
    one.roll_back(0)


if MANY:  # the sequence above holds it of dbt, and the many below of the models

    def test_what_is_published_is_a_full_rebuild(workshop: Workshop) -> None:
        counts = run_sequences(workshop, examples=1, steps=8)
        assert counts["publications compared"] > counts["sequences"]
        assert counts["builds from scratch"] > 0


@pytest.fixture(scope="module")
def stand_in(compiled) -> IncrementalProject:
    return IncrementalProject(compiled(is_incremental=True))


def test_what_is_published_is_a_full_rebuild_by_many_more_sequences(
    compiled, stand_in: IncrementalProject, tmp_path: Path
) -> None:
    counts = run_sequences(workshop_in(tmp_path, compiled, stand_in), examples=3, steps=12)
    assert counts["builds that kept periods"] > 0
    assert counts["builds from scratch"] > 0
