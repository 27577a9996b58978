"""Two warehouses are compared to the last digit: what differs is found and named, and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml
from jinja2 import Environment
from made_once import PROJECT
from typer.testing import CliRunner

from customer_tiering import cli
from customer_tiering.comparing import DIFFERENT, compare
from customer_tiering.errors import ExitCode
from customer_tiering.postgres import DATABASE, DEFAULTS, HOST, PASSWORD, PORT, USER

SCORES = """
    create or replace table marts.scores as
    select * from (values
        ('c1', date '2025-01-31', 12.50::decimal(18, 2), true, ''),
        ('c1', date '2025-02-28', 0.00::decimal(18, 2), false, null),
        ('c2', date '2025-01-31', null, true, 'café, "x"\n')
    ) as scores (customer_id, period_end, amount, is_open, remark)
"""


def make(folder: Path, *changes: str) -> str:
    """A warehouse's file with a few tables, changed."""
    folder.mkdir()
    with duckdb.connect(folder / "work.duckdb") as connection:
        for statement in ("create schema marts", "create schema quality", SCORES, *changes):
            connection.execute(statement)
        connection.execute(
            "create table quality.refresh_log as select gen_random_uuid() as run_id;"
            "create table quality.settings as select 'CNY' as reporting_currency"
        )
    return str(folder / "work.duckdb")


@pytest.fixture
def left(tmp_path: Path) -> str:
    return make(tmp_path / "left")


def found(left: str, right: str) -> list[str]:
    """What is said of tables that differ."""
    return [
        f"{table.table}: {line}"
        for table in compare(left, right)
        for line in (*table.faults, *table.differences)
    ]


def test_equal_warehouses_are_equal_in_any_order_of_rows(tmp_path, left):
    reordered = "create or replace table marts.scores as from marts.scores order by all desc"
    right = make(tmp_path / "right", reordered)
    assert [(table.table, table.left_rows) for table in compare(left, right)] == [
        ("marts.scores", 3),
        ("quality.settings", 1),
    ]
    assert found(left, right) == []
    assert found(left, left) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "update marts.scores set amount = 12.51 where customer_id = 'c1' and amount > 0",
            ["'c1', '2025-01-31': amount is '12.50' on the left and '12.51' on the right."],
        ),
        (
            "update marts.scores set remark = '' where remark is null",
            ["'c1', '2025-02-28': remark is NULL on the left and '' on the right."],
        ),
        (
            "update marts.scores set amount = 0, is_open = false where customer_id = 'c2'",
            [
                "'c2', '2025-01-31': amount is NULL on the left and '0.00' on the right.",
                "'c2', '2025-01-31': is_open is 'true' on the left and 'false' on the right.",
            ],
        ),
        (
            "update marts.scores set period_end = period_end + 1 where customer_id = 'c2'",
            [
                "'c2', '2025-01-31': only the left has this row.",
                "'c2', '2025-02-01': only the right has this row.",
            ],
        ),
        (
            "delete from marts.scores where customer_id = 'c2'",
            ["'c2', '2025-01-31': only the left has this row."],
        ),
        (
            "insert into marts.scores from marts.scores where customer_id = 'c2'",
            ["'c2', '2025-01-31', NULL, 'true', 'café, \"x\"\n': only the right has this row."],
        ),
        (
            "alter table marts.scores drop column is_open",
            ["Only the left has the column is_open."],
        ),
        (
            "alter table marts.scores add column rank integer",
            ["Only the right has the column rank."],
        ),
        (
            "create or replace table marts.scores as select customer_id, period_end, is_open, amount, remark "
            "from marts.scores",
            ["The columns stand in another order."],
        ),
        (
            "alter table marts.scores alter column amount type decimal(18, 3)",
            [
                "Column amount is decimal(18, 2) on the left and decimal(18, 3) on the right.",
                "'c1', '2025-01-31': amount is '12.50' on the left and '12.500' on the right.",
                "'c1', '2025-02-28': amount is '0.00' on the left and '0.000' on the right.",
            ],
        ),
        ("drop table marts.scores", ["The right has no such table."]),
    ],
)  # fmt: skip
def test_what_differs_is_found_and_named(tmp_path, left, change, expected):
    right = make(tmp_path / "right", change)
    assert found(left, right) == [f"marts.scores: {line}" for line in expected]
    assert not compare(left, right)[0].is_equal


def test_the_first_rows_are_shown_and_all_are_counted(tmp_path, left):
    many = "insert into marts.scores select 'x' || n, current_date, 1, true, '' from range(10) as r (n)"
    right = make(tmp_path / "right", many)
    table = compare(left, right)[0]
    assert (table.left_rows, table.right_rows, table.only_left, table.only_right) == (3, 13, 0, 10)
    assert [difference.key.split(",")[0] for difference in table.differences] == [
        "'x0'",
        "'x1'",
        "'x2'",
    ]


def test_the_command_exits_with_1_when_anything_differs(tmp_path, left, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    right = make(tmp_path / "right", "delete from marts.scores where customer_id = 'c2'")
    equal, different = (
        CliRunner().invoke(cli.app, ["compare", left, other]) for other in (left, right)
    )
    assert (equal.exit_code, different.exit_code) == (ExitCode.OK, DIFFERENT)
    assert "2 tables compared, all equal in every row and column." in equal.stdout
    assert "2 tables compared, 1 of them differ." in different.stdout
    rows = [line.replace("│", " ").split() for line in different.stdout.splitlines()]
    assert ["marts.scores", "3", "2", "1", "0"] in rows


def test_a_published_warehouse_equals_the_database_that_it_was_published_from(sample_warehouse):
    """Of what readers see, quality.refresh_log alone is made by the publication."""
    tables = compare(str(sample_warehouse), str(sample_warehouse / "work.duckdb"))
    assert len(tables) > 20
    assert [table for table in tables if not table.is_equal] == []


@pytest.mark.parametrize("content", [None, b"no database"])
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, left, content):
    file = tmp_path / "other.duckdb"
    if content is not None:
        file.write_bytes(content)
    result = CliRunner().invoke(cli.app, ["compare", left, str(file)])
    assert result.exit_code == ExitCode.SOURCE
    assert result.stderr.startswith(f"Error: {file}: found ")
    assert result.stderr.count("\n") == 1


def test_a_database_without_public_tables_is_refused(tmp_path, left):
    with duckdb.connect(tmp_path / "empty.duckdb"):
        pass
    result = CliRunner().invoke(cli.app, ["compare", left, str(tmp_path / "empty.duckdb")])
    assert result.exit_code == ExitCode.SOURCE
    assert "found no public tables; allowed is" in result.stderr


def test_the_profile_and_the_command_line_look_for_one_database() -> None:
    def as_where_nothing_is_set(name: str, default: str) -> str:
        return default

    text = (PROJECT / "profiles/profiles.yml").read_text(encoding="utf-8")
    environment = Environment()
    environment.filters["as_number"] = int
    rendered = environment.from_string(text).render(env_var=as_where_nothing_is_set)
    profile = yaml.safe_load(rendered)["customer_tiering"]["outputs"]["postgres"]
    names = {"host": HOST, "port": PORT, "user": USER, "dbname": DATABASE, "password": PASSWORD}
    assert {name: str(profile[name]) for name in names} == {
        name: DEFAULTS[variable] for name, variable in names.items()
    }
