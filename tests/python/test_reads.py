"""The day after, a refresh reads the largest tables by period or key.

What reads one of them whole costs more every month. Each such read is in the list below, with the reason for it. They are
counted in DuckDB's own profiles of the day after: of every model, data test and query of the publication.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest
from compiled_project import CompiledProject, end_build
from dbt_in_process import compiled_tests, manifest

from bench.generate import CLOSED_PERIODS, LAST_DAY, Size, write_tables
from bench.landing_zone import add_day, lay_out
from customer_tiering import building, publishing
from customer_tiering.runs import Run

# By these a read may leave out most of a table.
PERIODS = re.compile(r"\b(period_index|period_end)\b")
KEYS = re.compile(
    r"\b(period_index|period_end|customer_key|customer_id|order_id|order_date|ordered_at)\b"
)
PUBLICATION = "the publication"

# How often each reader reads a table whole, by table and reason. Whoever reads less takes a line away here.
REASONS: dict[str, dict[str, dict[str, int]]] = {
    "raw.orders": {
        "which of several rows of an order counts is known from all of them": {
            "int_orders": 3,
            "int_duplicate_counts": 2,
            "int_rejected_records": 1,
        },
        "the gate looks at all rows that have landed, and counts them": {
            "int_flawed_rows": 1,
            "int_raw_row_counts": 1,
            "source_coverage": 1,
        },
        "customers are numbered by all ids that any table names": {"int_customer_keys": 1},
    },
    "int_orders": {
        "amounts, lines and the ledger are made anew of all orders": {
            "int_customer_ledger": 1,
            "int_order_items": 1,
            "int_order_reversals": 1,
            "orders": 2,
        },
        "what a customer buys most is of all orders until then": {"customer_periods": 1},
        "the hash of all facts says from which day on something has changed": {
            "int_fact_fingerprints": 1,
        },
        "who is a customer and which days there are follows from all orders": {
            "days": 1,
            "int_as_of": 1,
            "int_customers": 1,
            "int_unknown_customers": 1,
        },
        "the gate and its reports count all rows": {
            "int_raw_row_counts": 1,
            "int_source_counts": 1,
            "int_source_findings": 2,
            "warnings": 1,
        },
        "the test is of all rows": {
            "int_order_outcomes_add_up": 1,
            "int_order_outcomes_has_each_order_once": 1,
            "int_orders_are_consistent": 1,
            "int_orders_has_each_order_once": 1,
            "raw_rows_and_amounts_are_staged_duplicate_or_rejected": 1,
        },
    },
    "marts.orders": {
        "the hash of closed rows says what differs from the last publication": {PUBLICATION: 3},
        "the test is of all rows": {
            "order_items_are_of_known_orders": 1,
            "orders_agree_with_the_lifetime_of_their_customer": 1,
            "orders_are_of_known_customers": 1,
            "orders_key": 1,
            "orders_rules": 1,
        },
    },
    "int_score_inputs": {
        "DuckDB deletes `not in` periods by looking at every row": {"int_score_inputs": 1},
        "weights of all periods are made anew of the inputs that were known": {
            "int_score_weights": 1,
        },
        "as it is compiled here; in a build the test leaves rows of kept periods out": {
            "int_customer_scores_key": 1,
            "int_customer_scores_rules": 1,
            "int_lifecycle_stages_key": 1,
            "int_lifecycle_stages_rules": 1,
        },
    },
    "customer_periods": {
        "DuckDB deletes `not in` periods by looking at every row": {"customer_periods": 1},
        "sums by tier and period are made anew of all periods": {
            "net_promoter_scores": 1,
            "tier_summary": 1,
            "tier_transitions": 1,
        },
        "the hash of closed rows says what differs from the last publication": {PUBLICATION: 2},
        "as it is compiled here; in a build the test leaves rows of kept periods out": {
            "customer_periods_key": 1,
            "customer_periods_rules": 1,
        },
        "the test is of all rows": {
            "summary_and_transitions_count_every_customer_once": 1,
        },
    },
}
WATCHED = tuple(REASONS)
WHOLE_READS = {
    (reader, table): count
    for table, reasons in REASONS.items()
    for readers in reasons.values()
    for reader, count in readers.items()
}


class Watched:
    """A connection that notes which of the watched tables each statement reads whole."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reads: list[str]) -> None:
        self.connection = connection
        self.reads = reads
        connection.execute("set enable_profiling = 'no_output'")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def execute(self, statement: str, *parameters: object) -> Rows:
        rows_of = {
            f"{database}.{schema}.{table}": rows
            for database, schema, table, rows in self.connection.execute(
                "select database_name, schema_name, table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        }
        result = self.connection.execute(statement, *parameters)
        rows = Rows(result.fetchall() if result.description else [], result.description)
        profile = json.loads(self.connection.get_profiling_information())
        for read in reads_of(profile.get("operator", [])):
            watched = [name for name in WATCHED if f".{read.table}".endswith(f".{name}")]
            if watched and not read.leaves_out_most(rows_of[read.table]):
                self.reads += watched
        return rows


class Rows(list):
    """Rows of a result, fetched."""

    def __init__(self, rows: list[tuple], description: Any) -> None:
        super().__init__(rows)
        self.description = description

    def fetchall(self) -> list[tuple]:
        return list(self)

    def fetchone(self) -> tuple | None:
        return self.pop(0) if self else None


Operator = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """A read of a table: the scan, what its rows go through at once, and the join into which they then go."""

    scan: Operator
    through: tuple[Operator, ...]
    join: Operator | None

    @property
    def table(self) -> str:
        return self.scan["extra_info"]["Table"].replace('"', "")

    def leaves_out_most(self, rows: int) -> bool:
        """Whether a filter by period or key, or a join by period, lets through no more than half of a table's rows.

        Of so few rows DuckDB may put the table itself into the hash table of a join, and then makes no filter of it.
        """
        filters = [self.scan["extra_info"].get(kind, "") for kind in ("Filters", "Dynamic Filters")]
        kept = min(operator["intermediate_rows"] for operator in (self.scan, *self.through))
        if KEYS.search(str(filters)) and 2 * kept <= rows:
            return True
        return (
            self.join is not None
            and PERIODS.search(str(self.join["extra_info"]["Conditions"])) is not None
            and 2 * self.join["intermediate_rows"] <= rows
        )


def reads_of(
    operators: list[Operator],
    through: tuple[Operator, ...] = (),
    join: Operator | None = None,
) -> Iterator[Read]:
    """The reads of tables by operators and what they are fed by."""
    for operator in operators:
        kind = operator["type"]
        if kind == "TABLE_SCAN" and "Table" in operator["extra_info"]:
            yield Read(operator, through, join)
        is_passed = kind in ("PROJECTION", "FILTER")
        yield from reads_of(
            operator.get("children", []),
            (*through, operator) if is_passed else (),
            operator if kind == "HASH_JOIN" else join if is_passed else None,
        )


@pytest.fixture(scope="module")
def whole_reads(compiled: Callable[..., CompiledProject], tmp_path_factory) -> Counter:
    """How often each reader reads a watched table whole on the day after, by reader and table."""
    folder = tmp_path_factory.mktemp("reads")
    tables, raw, warehouse = folder / "tables", folder / "raw", folder / "warehouse"
    for path in (tables, warehouse):
        path.mkdir()
    write_tables(tables, Size(customers=300, orders=3_000), CLOSED_PERIODS, seed=1)
    lay_out(tables, raw)
    # views that are tables the first time, as planning them takes most of it
    as_tables, project = (compiled(is_incremental=True, has_views=views) for views in (False, True))
    nodes = manifest()["nodes"]
    made = {model.relation for model in project.models}
    said = {"keys": building._keys(nodes), "published_by": building.published_by(nodes)}

    with work_database(warehouse) as connection:
        as_tables.begin(connection)
        as_tables.land(connection, raw)
        as_tables.run(connection)
        end_build(connection)
        for model in project.models:
            if model.is_view:
                connection.execute(f"drop table {model.relation}")
    publishing.publish(warehouse, [run("1")], **said)

    add_day(raw, LAST_DAY + timedelta(days=1))
    found: Counter = Counter()
    reads: list[str] = []

    def note(reader: str) -> None:
        found.update((reader, table) for table in reads)
        reads.clear()

    with Watched(work_database(warehouse), reads) as connection:
        project.land(connection, raw)
        project.run(
            connection, goes_on=True, after=lambda number: note(project.models[number - 1].name)
        )
        assert connection.execute(
            "select count(*) from intermediate.int_review_periods where is_kept"
        ).fetchone() == (CLOSED_PERIODS,)
        for test, sql in compiled_tests({"run_date": "2026-01-31"}).items():
            parents = [nodes[name] for name in nodes[test]["depends_on"]["nodes"] if name in nodes]
            # the snapshot, and what reads it, is dbt's to make
            if all(p["resource_type"] == "seed" or p["relation_name"] in made for p in parents):
                connection.execute(sql)
                note(nodes[test]["name"])
        end_build(connection)
    reads.clear()
    connect = duckdb.connect
    with mock.patch.object(
        duckdb, "connect", lambda *given, **named: Watched(connect(*given, **named), reads)
    ):
        publishing.publish(warehouse, [run("1"), run("2")], **said)
    note(PUBLICATION)
    return found


def work_database(warehouse: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a warehouse's work database."""
    connection = duckdb.connect(str(warehouse / publishing.WORK), config={"threads": 1})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def run(run_id: str) -> Run:
    """A run that is published."""
    return Run(run_id, "refresh", "running", "publish", "2025-12-16T00:00:00+00:00")


def test_the_day_after_no_large_table_is_read_whole_but_for_a_reason(whole_reads):
    assert dict(whole_reads) == WHOLE_READS


@pytest.mark.parametrize(
    ("query", "is_whole"),
    [
        ("select sum(frequency) from customer_periods", True),
        ("select sum(frequency) from customer_periods where frequency > 5", True),
        ("select sum(frequency) from customer_periods where period_index > 0", True),
        ("select sum(frequency) from customer_periods where period_index = 36", False),
        ("select sum(frequency) from customer_periods where customer_key = 7", False),
        (
            "select sum(frequency) from customer_periods inner join newest using (period_index)",
            False,
        ),
        (
            "select sum(frequency) from customer_periods inner join periods using (period_index)",
            True,
        ),
    ],
)
def test_a_read_that_leaves_out_most_by_period_or_key_is_not_whole(query, is_whole):
    reads: list[str] = []
    with Watched(duckdb.connect(), reads) as connection:
        for statement in (
            "create table customer_periods as select range % 36 + 1 as period_index, "
            "range // 36 as customer_key, range % 9 as frequency from range(3600)",
            "create table periods as select range + 1 as period_index from range(36)",
            "create table newest as select 36 as period_index",
            query,
        ):
            connection.execute(statement)
    assert reads == ["customer_periods"] * is_whole
