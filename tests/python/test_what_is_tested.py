"""Which rows a build tests, and what guards those that it does not: they are as they were when they were tested."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from unittest import mock

import duckdb
import pytest
from dbt_in_process import dbt, parsed_project
from made_once import PROJECT
from rich.console import Console

from customer_tiering import published_work, refreshing
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import BuildError
from customer_tiering.published_work import differing_period, digest_of_checks

# Those of the sample's refresh.
VARS = {"run_date": "2026-01-31", "raw_path": str(PROJECT / "sample")}


@pytest.fixture
def warehouse(sample_warehouse: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sample_warehouse, tmp_path / "warehouse", symlinks=True)


def in_work(warehouse: Path, *statements: str) -> list[tuple]:
    """Run SQL in the work database; gives the rows of the last statement."""
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def break_row(warehouse: Path, period_end: str) -> None:
    """One row of customer_periods breaks a rule."""
    rows = in_work(
        warehouse,
        "update marts.customer_periods set recency_days = -1 where customer_id = 'C1061' "
        f"and period_end = {period_end} returning customer_id",
    )
    assert rows == [("C1061",)]


def rows_found(warehouse: Path) -> list[str]:
    """How many rows `dbt test` finds, by a test of rules and one of keys."""
    names = ("customer_periods_rules", "int_customer_signals_key")
    arguments = ("--select", *names, "--vars", json.dumps(VARS))
    with pytest.raises(RuntimeError) as failed:
        dbt(warehouse, "test", *arguments, parsed=parsed_project())
    return re.findall(r"Got (\d+) result", str(failed.value))


def test_rows_of_kept_periods_are_tested_after_the_build_alone(warehouse: Path) -> None:
    """A broken row in a kept period, one in the newest, and for keys one without a period in its place."""
    break_row(warehouse, "'2025-03-31'")
    break_row(warehouse, "(select max(period_end) from marts.review_periods)")
    in_work(
        warehouse,
        "insert into intermediate.int_customer_signals from intermediate.int_customer_signals "
        "where period_index = 5 limit 1",
        "insert into intermediate.int_customer_signals (customer_key) values (0)",
        # as it is while a build goes on
        "update intermediate.int_review_periods set is_kept = not is_open_period",
    )
    assert rows_found(warehouse) == ["1", "1"]
    # a test has failed: no build goes on from here
    assert in_work(warehouse, "select is_complete from builds.last_build") == [(False,)]
    assert rows_found(warehouse) == ["2", "2"]


def test_a_closed_row_that_has_changed_is_named_and_all_is_computed_anew(warehouse: Path) -> None:
    assert differing_period(warehouse) is None
    break_row(warehouse, "'2025-03-31'")
    assert differing_period(warehouse) == ("marts.customer_periods", "2025-03-31")
    with mock.patch.object(published_work.duckdb, "__version__", "another"):
        assert differing_period(warehouse) is None

    notes: list[str] = []
    tables: list[list[tuple]] = []

    def build(*_: object) -> None:
        tables.append(in_work(warehouse, "from duckdb_tables() where schema_name = 'marts'"))
        raise BuildError("stopped.")

    configuration = load_configuration(PROJECT, VARS)
    refresh = refreshing.Refresh(
        PROJECT, configuration, warehouse, Console(quiet=True), notes.append
    )
    with mock.patch.object(refreshing, "build", build), pytest.raises(BuildError, match="stopped"):
        refresh.run()
    assert notes == [
        "work.duckdb: the rows of marts.customer_periods for 2025-03-31 are not those that were published; "
        "this refresh begins with a new work database."
    ]
    assert tables == [[]]


def test_what_was_not_published_has_nothing_to_differ_from(warehouse: Path) -> None:
    """As after a refresh that failed its audit, or after dbt by itself."""
    break_row(warehouse, "'2025-03-31'")
    in_work(warehouse, "update builds.last_landing set published_run = null")
    assert differing_period(warehouse) is None


def test_tests_code_and_vars_of_the_audit_are_what_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_work, "PACKAGE", tmp_path / "package")

    def digest(**project_vars: object) -> str:
        return digest_of_checks(tmp_path, load_configuration(PROJECT, project_vars).settings)

    found = [digest()]
    for name in ("tests/singular/a.sql", "tests/expectations/raw/a.json", "package/a/a.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("1", encoding="utf-8")
        found.append(digest())
    found.append(digest(audit_max_score_shift=6))
    assert len(set(found)) == 5
    (tmp_path / "tests" / "README.md").write_text("1", encoding="utf-8")
    assert digest(publications_kept=8) == found[3]
