"""The command line: what stops it, with which exit code, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from time import sleep

import duckdb
import pytest
import sqlalchemy
import yaml
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from customer_tiering import building, cli, publishing, refreshing
from customer_tiering.auditing import AuditSummary
from customer_tiering.errors import BuildError, ExitCode, Stopped
from customer_tiering.language import Language
from customer_tiering.locking import locked
from customer_tiering.progress import Progress
from customer_tiering.publishing import (
    PUBLICATION,
    RESTRICTED,
    Description,
    current_publication,
    open_publication,
)
from customer_tiering.publishing import publish as publish_run
from customer_tiering.reporting import plain_table
from customer_tiering.rules import Rules, read_rules, write_rules
from customer_tiering.run_reporting import print_status, read_status, status_as_json
from customer_tiering.runs import Ledger

ROOT = Path(__file__).resolve().parents[2]

# A warehouse of four customers, small enough to count by hand.
MARTS = {
    "marts.review_periods": """
        select * from (values
            (date '2025-05-31', date '2025-05-01', false, date '2000-01-01'),
            (date '2025-06-15', date '2025-06-01', true, date '2000-01-01')
        ) as periods (period_end, period_start, is_open_period, rules_valid_from)
    """,
    "marts.tiers": """
        select * from (values
            (date '2000-01-01', 'basic', 1, 'Basic', '普通', 0, 0),
            (date '2000-01-01', 'gold', 2, 'Gold', '黄金', 60, 55),
            (date '2030-01-01', 'basic', 1, 'Starter', '入门', 0, 0)
        ) as tiers (
            version_valid_from, tier_code, tier_rank, label_en, label_zh, enter_score, keep_score
        )
    """,
    "marts.labels": """
        select * from (values
            ('tier', 'none', 'No tier', '无等级'),
            ('change_type', 'enter', 'Entered', '进入'),
            ('reason_code', 'first_order', 'First order', '首次下单'),
            ('reject_action', 'rejected', 'Row rejected', '整行拒绝'),
            ('reject_reason', 'missing_value', 'No value', '缺少值'),
            ('alert', 'spend_drop', 'Spending fell', '消费下降'),
            ('department', 'sales', 'Sales', '销售部'),
            ('binding_rule', 'enter_min_orders', 'its least orders keep most out', '最少订单数'),
            ('warning', 'small_population', 'Few customers', '客户少'),
            ('warning', 'undecided_duplicates', 'None is newer', '无法判断新旧')
        ) as labels (kind, code, label_en, label_zh)
    """,
    "marts.tier_summary": """
        select * from (values
            (date '2025-05-31', 'basic', 1, 1, 5.00, 1.0),
            (date '2025-06-15', 'none', 0, 1, 0.00, 0.0),
            (date '2025-06-15', 'of_another_version', 3, 0, 0.00, 0.0),
            (date '2025-06-15', 'gold', 2, 1, 1500.00, 0.75),
            (date '2025-06-15', 'basic', 1, 2, 500.00, 0.25)
        ) as summary (
            period_end, tier_code, tier_rank, customers, window_revenue, window_revenue_share
        )
    """,
    "marts.customer_periods": """
        select * from (values
            ('a', date '2025-05-31', 'enter', 'first_order', 0, 1),
            ('b', date '2025-05-31', 'enter', 'first_order', 0, 1),
            ('c', date '2025-05-31', 'downgrade', 'recency_down', 2, 1),
            ('d', date '2025-05-31', 'keep', null, 1, 1),
            ('a', date '2025-06-15', 'upgrade', 'monetary_up', 1, 2)
        ) as periods (customer_id, period_end, change_type, reason_code, tier_rank_before, tier_rank)
        cross join (select 'gold' as tier_code, 'none' as tier_code_before, 5 as r_score, 5 as f_score, 1 as frequency,
            1500.00 as monetary, 1500.00 as period_revenue, 'Books' as favourite_category, 'web' as favourite_channel,
            'active' as lifecycle_stage)
    """,
    "marts.customer_tiers": "select 'gold' as tier_code, 600.00 as revenue_to_next",
    "marts.campaign_effects": """
        select * from (values
            ('K1', 'Spring', date '2025-04-01', 'no_holdout', 3::bigint, 0::bigint, 1::bigint, 0::bigint, null::decimal(9, 6),
                null::decimal(9, 6), null::decimal(9, 6), null::decimal(18, 2), null::decimal(18, 2), null::decimal(18, 2),
                90.00::decimal(18, 2), 'all')
        ) as campaigns (campaign_id, campaign_name, starts_on, effect_status, treated, held_out, treated_responses,
            held_out_responses, effect, effect_low, effect_high, incremental_revenue, incremental_revenue_low,
            incremental_revenue_high, cost, dimension)
    """,
    "marts.tier_economics": """
        select 'gold' as tier_code, 2 as tier_rank, 1 as customers, 1 as served_customers, 1500.00 as window_revenue,
            600.00 as growth_potential, 3 as service_contacts, 1.0 as recommended_budget_share, date '2025-06-15' as as_of_date
    """,
    "marts.customers": """
        select 'a' as customer_id, 'a' as reviewed_customer_id, 'gold' as tier_code, 2 as tier_rank,
            'loyal' as segment_code, 'active' as lifecycle_stage, 'Bayern' as region, 'retail' as industry
    """,
    "marts.orders": "select 'O1' as order_id",
    "marts.customer_scores": """
        select 'a' as customer_id, 60.0 as management_score, 60.0 as value_score,
            cast(null as decimal(11, 8)) as growth_score, 60.0 as loyalty_score,
            cast(null as decimal(11, 8)) as satisfaction_score,
            cast(null as decimal(11, 8)) as engagement_score,
            cast(null as decimal(11, 8)) as partnership_score
    """,
    "marts.customer_alerts": """
        select * from (values
            ('a', 'spend_drop', 'high', true), ('b', 'spend_drop', 'low', true),
            ('c', 'spend_drop', 'low', false)
        ) as alerts (customer_id, alert_code, severity, is_open)
    """,
    "marts.customer_actions": """
        select * from (values
            ('a', 'call', 'sales', 20), ('b', 'call', 'sales', 20), ('c', 'none', null, 99),
            ('d', 'answer', null, 10)
        ) as actions (customer_id, action_code, owner_department, priority)
        cross join (select date '2025-06-15' as due_on)
    """,
    "quality.reconciliation": """
        select * from (values
            ('orders', 1200, 1190, 3, 7),
            ('refunds', 0, 0, 0, 0)
        ) as tables (source_table, rows_in, rows_staged, rows_duplicate, rows_rejected)
    """,
    "quality.rejected_records": """
        select 'orders' as source_table, 'rejected' as action, 'missing_value' as reject_reason,
            'status' as column_name, case when range < 4 then '[/void]' end as shown_value
        from range(7)
    """,
    "quality.warnings": """
        select * from (values
            ('rows_rejected', 'orders', null, 7, null, null, null),
            ('small_population', 'recency', null, 3, null, null, null),
            ('small_population', 'monetary', null, 3, null, null, null), ('odd', 'orders', null, 0, null, null, null),
            ('top_tier_share', 'gold', 'enter_min_orders', 0, null, null, null),
            ('undecided_duplicates', 'orders', null, 1230, 36970.5, null, null),
            ('undecided_duplicates', 'customers', null, 1, null, null, null),
            ('unused_rows', 'tickets', null, 2, null, null, null),
            ('unknown_customers', 'orders', null, 27, 1300, 0.2, 0.5)
        ) as warnings (warning_code, subject, binding_rule, observed, amount, share, amount_share)
    """,
    "quality.settings": "select 'EUR' as reporting_currency",
    "builds.last_build": "select 36 as periods, 35 as periods_kept",
    "history.tier_snapshot": "select 'a' as customer_id",
    "restricted.customer_contacts": "select 'a' as customer_id, 'a@example.com' as email",
    "staging.stg_shop__orders": "select 'secret' as anything",
}


def run(*arguments: object) -> tuple[int, str, str]:
    """(exit code, standard output, standard error) of `tiering` with these arguments."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw folder with the two required tables."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "customers.csv").write_text("customer_id\nC1\n")
    (folder / "orders.csv").write_text(
        "order_id,customer_id,ordered_at,status,order_amount\nO1,C1,2025-01-01,completed,10\n"
    )
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A folder with a finished work database that is not yet published."""
    folder = tmp_path / "warehouse"
    folder.mkdir()
    fill(folder / "work.duckdb")
    return folder


def publish(warehouse: Path) -> Path:
    """Publish the work database as a refresh does; gives the path that readers open."""
    publish_run(warehouse, [Ledger(warehouse).start("refresh")])
    return warehouse / "customer_tiering.duckdb"


def fill(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        for name, sql in MARTS.items():
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create or replace table {name} as {sql}")


@pytest.fixture
def no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts dbt fails the test."""

    def build(*_: object) -> building.Build:
        raise AssertionError("dbt was started")

    monkeypatch.setattr(refreshing, "build", build)


@pytest.fixture
def fake_build(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A build that leaves the small warehouse; the overrides of each call are kept."""
    calls: list[dict[str, object]] = []

    def build(
        _project: Path, folder: Path, overrides: dict[str, object], *_: object
    ) -> building.Build:
        calls.append(overrides)
        fill(folder / "work.duckdb")
        return building.Build(nodes=9, tests=2, keys={})

    monkeypatch.setattr(refreshing, "build", build)
    nothing = AuditSummary(suites=0, expectations=0, notes=[])
    monkeypatch.setattr(refreshing, "audit", lambda *_: nothing)
    return calls


@pytest.fixture(scope="module")
def toy_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_toy_project(tmp_path_factory.mktemp("toy"))


def make_toy_project(project: Path) -> Path:
    """A dbt project that makes the small warehouse; the var score_profile 'b2b' fails a test."""
    settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    for key in (
        "on-run-start",
        "on-run-end",
        "models",
        "seeds",
        "snapshots",
        "data_tests",
        "flags",
    ):
        settings.pop(key, None)
    settings["seed-paths"] = ["no_seeds"]  # they are checked, but this project builds none
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    shutil.copytree(ROOT / "seeds", project / "seeds")
    shutil.copytree(ROOT / "profiles", project / "profiles")
    for name in ("models", "macros", "tests/singular"):
        (project / name).mkdir(parents=True)
    shutil.copy(ROOT / "macros" / "generate_schema_name.sql", project / "macros")
    required = {"config": {"meta": {"required": True}}}
    raw_tables = [{"name": "customers", **required}, {"name": "orders", **required}]
    (project / "models" / "sources.yml").write_text(
        yaml.safe_dump({"sources": [{"name": "shop", "schema": "raw", "tables": raw_tables}]})
    )
    for name, sql in MARTS.items():
        schema, table = name.split(".")
        config = f"{{{{ config(schema='{schema}', materialized='table') }}}}"
        (project / "models" / f"{table}.sql").write_text(f"{config}\n{sql}", encoding="utf-8")
    (project / "tests" / "singular" / "profile_is_not_b2b.sql").write_text(
        "select 1 as is_b2b where '{{ var(\"score_profile\") }}' = 'b2b'"
    )
    suite = project / "tests" / "expectations" / "marts" / "tiers.json"
    suite.parent.mkdir(parents=True)
    rank = {"column": "tier_rank", "max_value": 2}
    suite.write_text(
        json.dumps({"expectations": [{"type": "expect_column_max_to_be_between", "kwargs": rank}]})
    )
    return project


# -- Configuration ---------------------------------------------------------------------------------


def test_check_of_the_shipped_configuration() -> None:
    code, output, _ = run("check")
    assert code == ExitCode.OK
    assert "holds together" in output
    found = json.loads(run("check", "--json")[1])
    assert (found["tiers"], found["rule_versions"], found["profiles"][0]) == (5, 1, "retail")


def test_check_notes_a_code_without_a_label(tmp_path: Path, toy_project: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(toy_project, project)
    with (project / "seeds" / "high_net_worth_bands.csv").open("a") as bands:
        bands.write("family_office,50000000\n")
    code, output, errors = run("check", "--project", project)
    assert (code, "holds together" in output) == (ExitCode.OK, True)
    assert errors == (
        "Note: seeds/code_labels.csv: the high_net_worth family_office of "
        "seeds/high_net_worth_bands.csv has no label.\n"
    )


def test_version() -> None:
    code, output, _ = run("--version")
    assert code == ExitCode.OK
    assert re.fullmatch(r"tiering 0\.1\.0\S*, dbt 1\.12\.\d+, DuckDB \S+\n", output)


@pytest.mark.parametrize("command", ["check", "refresh", "example"])
def test_bad_var_stops_before_anything_is_done(
    command: str, tmp_path: Path, raw: Path, no_build: None
) -> None:
    arguments = {
        "check": [],
        "refresh": ["--raw", raw, "--warehouse", tmp_path / "w"],
        "example": ["cdnow", "--data", raw, "--warehouse", tmp_path / "w"],
    }[command]
    code, output, errors = run(command, *arguments, "--vars", "{rfm_window_days: 0}")
    assert code == ExitCode.CONFIGURATION == 2
    assert errors == (
        "Error: command line, var rfm_window_days: found 0; "
        "allowed is a whole number from 1 to 3660.\n"
    )
    assert output == ""
    assert not (tmp_path / "w").exists()


def test_bad_seed_stops_before_anything_is_done(
    tmp_path: Path, raw: Path, toy_project: Path, no_build: None
) -> None:
    project = tmp_path / "project"
    shutil.copytree(toy_project, project)
    seed = project / "seeds" / "star_ratings.csv"
    seed.write_text(seed.read_text().replace("5,80", "5,101"))
    code, _, errors = run(
        "refresh", "--project", project, "--raw", raw, "--warehouse", tmp_path / "w"
    )
    assert code == ExitCode.CONFIGURATION
    assert "seeds/star_ratings.csv, line 6: found min_score '101'" in errors
    assert not (tmp_path / "w").exists()


def test_raw_folder_and_raw_schema_exclude_each_other(
    tmp_path: Path, raw: Path, no_build: None
) -> None:
    code, _, errors = run(
        "refresh", "--raw", raw, "--warehouse", tmp_path / "w", "--vars", "{raw_schema: landing}"
    )
    assert code == ExitCode.CONFIGURATION
    assert "--raw together with the var raw_schema landing" in errors


def test_warehouse_that_is_a_file(tmp_path: Path, raw: Path, no_build: None) -> None:
    (tmp_path / "w").write_text("")
    code, _, errors = run("refresh", "--raw", raw, "--warehouse", tmp_path / "w")
    assert code == ExitCode.CONFIGURATION
    assert "command line, --warehouse: found " in errors


def test_as_of_wins_over_vars_and_reaches_dbt(
    tmp_path: Path, raw: Path, fake_build: list[dict[str, object]]
) -> None:
    code, _, errors = run(
        *("refresh", "--raw", raw, "--warehouse", tmp_path / "w", "--as-of", "2025-06-15"),
        *("--vars", "{as_of_date: latest, tier_grace_periods: 2, run_date: 2025-07-01}"),
    )
    assert (code, errors) == (ExitCode.OK, "")
    assert fake_build == [
        {
            "as_of_date": "2025-06-15",
            "tier_grace_periods": 2,
            "run_date": "2025-07-01",
            "raw_path": str(raw),
        }
    ]


# -- Raw tables ------------------------------------------------------------------------------------


def make(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("a\n")


@pytest.mark.parametrize(
    ("remove", "add", "sentence"),
    [
        (
            ["orders.csv"],
            [],
            "found no table orders (it holds customers.csv); allowed is orders.parquet, "
            "orders.csv or a folder orders/ with files of one of these kinds.",
        ),
        (["customers.csv", "orders.csv"], [], "found no table customers (it holds nothing)"),
        (["orders.csv"], ["raw_orders.csv"], "no table orders (it holds customers.csv, raw_orders"),
        ([], ["orders.parquet"], "found table orders as orders.parquet and orders.csv; allowed is"),
        ([], ["orders/1.csv"], "found table orders as orders.csv and orders/*.csv; allowed is"),
        (
            ["orders.csv"],
            ["orders/1.csv", "orders/2.parquet"],
            "found table orders as orders/*.parquet and orders/*.csv; allowed is only one of",
        ),
        (["orders.csv"], ["orders/notes.txt"], "found no table orders"),
        ([], ["refunds.csv", "refunds/1.csv"], "found table refunds as refunds.csv and refunds/*"),
    ],
)
def test_raw_folder_is_refused(
    tmp_path: Path, raw: Path, no_build: None, remove: list[str], add: list[str], sentence: str
) -> None:
    for name in remove:
        (raw / name).unlink()
    make(raw, *add)
    code, _, errors = run("refresh", "--raw", raw, "--warehouse", tmp_path / "w")
    assert code == ExitCode.SOURCE == 3
    assert errors.startswith(f"Error: raw folder {raw}: ")
    assert sentence in errors
    assert not (tmp_path / "w" / "work.duckdb").exists()


def test_raw_folder_that_is_not_there(tmp_path: Path, no_build: None) -> None:
    code, _, errors = run("refresh", "--raw", tmp_path / "raw", "--warehouse", tmp_path / "w")
    assert code == ExitCode.SOURCE
    assert f"raw folder {tmp_path / 'raw'}: found no such folder" in errors


def test_raw_file_without_content(tmp_path: Path, raw: Path, no_build: None) -> None:
    (raw / "refunds.csv").write_bytes(b"")
    code, _, errors = run("refresh", "--raw", raw, "--warehouse", tmp_path / "w")
    assert code == ExitCode.SOURCE
    assert f"raw file {raw / 'refunds.csv'}: found no content" in errors


def test_unknown_files_are_noted(
    tmp_path: Path, raw: Path, fake_build: list[dict[str, object]]
) -> None:
    make(raw, "oders.csv", "old/orders.csv", ".hidden", "README.md")
    code, _, errors = run("refresh", "--raw", raw, "--warehouse", tmp_path / "w")
    assert code == ExitCode.OK
    assert "as no model reads such a table: oders.csv, old." in errors


# -- Examples --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("online_retial", None, "found an unknown example 'online_retial' (did you mean online_"),
        ("cdnow", None, "example cdnow: found no --data; allowed is the folder of its public"),
        ("cdnow", "nowhere", "example cdnow: found no such folder "),
    ],
)
def test_example_that_cannot_be_mapped(
    tmp_path: Path, no_build: None, name: str, data: str | None, sentence: str
) -> None:
    options = ["--data", tmp_path / data] if data else []
    code, _, errors = run("example", name, *options, "--warehouse", tmp_path / "w")
    assert code == ExitCode.SOURCE
    assert sentence in errors


def test_example_without_its_public_files(tmp_path: Path, no_build: None) -> None:
    data = tmp_path / "data"
    data.mkdir()
    code, _, errors = run("example", "cdnow", "--data", data, "--warehouse", tmp_path / "w")
    assert code == ExitCode.SOURCE
    assert errors == (
        f"Error: raw folder {data}: found no file of source cdnow_master (nothing); "
        "allowed is cdnow_master.parquet, cdnow_master.csv or a folder cdnow_master/.\n"
    )


def test_example_that_ships_needs_no_data(
    tmp_path: Path, fake_build: list[dict[str, object]]
) -> None:
    code, _, _ = run("example", "completejourney_small", "--warehouse", tmp_path / "w")
    assert code == ExitCode.OK
    assert fake_build == [{"raw_path": str(ROOT / "examples" / "completejourney_small")}]


# -- Publication -----------------------------------------------------------------------------------


def tables(database: Path) -> list[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute("select schema_name || '.' || table_name from duckdb_tables()")
        return sorted(name for (name,) in rows.fetchall())


def test_publication_holds_the_public_schemas_only(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        connection.execute("create view marts.gold as from work.marts.tiers where tier_rank = 2")
    published = publish(warehouse)
    public = [n for n in MARTS if n.split(".")[0] in ("marts", "quality", "history")]
    assert tables(published) == sorted([*public, "marts.gold", "quality.refresh_log"])
    assert tables(warehouse / "customer_contacts.duckdb") == ["restricted.customer_contacts"]
    holding = [
        path.name
        for path in published.resolve().parent.rglob("*")
        if path.is_file() and b"a@example.com" in path.read_bytes()
    ]
    assert holding == ["customer_contacts.duckdb"]
    assert (
        published.resolve().parent.joinpath("customer_contacts.duckdb").stat().st_mode & 0o077 == 0
    )


def test_publication_is_opened_directly(warehouse: Path) -> None:
    """By DuckDB and by SQLAlchemy, as BI tools do, without a name for the database."""
    published = publish(warehouse)
    for path, schema, table in (
        (published, "marts", "customers"),
        (published, "quality", "refresh_log"),
        (warehouse / "customer_contacts.duckdb", "restricted", "customer_contacts"),
    ):
        with duckdb.connect(str(path), read_only=True) as connection:
            assert connection.execute(f"select count(*) from {schema}.{table}").fetchone() == (1,)
        engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
        reflected = sqlalchemy.Table(
            table, sqlalchemy.MetaData(schema=schema), autoload_with=engine
        )
        with engine.connect() as connection:
            assert len(connection.execute(reflected.select()).all()) == 1
        engine.dispose()


def comments(database: Path) -> dict[str, str | None]:
    """What a database says of its tables, and of their columns as `table.column`."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() "
            "union all select schema_name || '.' || table_name || '.' || column_name, comment "
            "from duckdb_columns() where not internal"
        )
        return dict(rows.fetchall())


def test_tables_and_columns_say_what_they_mean(warehouse: Path) -> None:
    """What is not described, and what is described but not there, hinders nobody."""
    described = Description(
        'One row per customer\'s "life".', {"tier_code": "客户's tier", "x": "y"}
    )
    contacts = Description("Contacts.", {"email": "Address."})
    publish_run(
        warehouse,
        [Ledger(warehouse).start("refresh")],
        descriptions={
            "marts.customers": described,
            "marts.absent": described,
            "restricted.customer_contacts": contacts,
        },
    )
    said = {
        name: text
        for name, text in comments(warehouse / "customer_tiering.duckdb").items()
        if text and not name.startswith("quality.refresh_log.")
    }
    assert said == {
        "marts.customers": 'One row per customer\'s "life".',
        "marts.customers.tier_code": "客户's tier",
        "quality.refresh_log": "One row per run of this warehouse, refresh or rollback, up to the one "
        "that published this.",
    }
    assert comments(warehouse / "customer_contacts.duckdb") == {
        "restricted.customer_contacts": "Contacts.",
        "restricted.customer_contacts.customer_id": None,
        "restricted.customer_contacts.email": "Address.",
    }


def test_everything_in_a_publication_says_what_it_means(sample_warehouse: Path) -> None:
    said = {
        name: text or ""
        for file in ("customer_tiering.duckdb", "customer_contacts.duckdb")
        for name, text in comments(sample_warehouse / file).items()
    }
    assert [name for name, text in said.items() if not text.strip()] == []
    tables = {name: text for name, text in said.items() if name.count(".") == 1}
    assert {name.split(".")[0] for name in tables} == {"marts", "quality", "history", "restricted"}
    assert [name for name, text in tables.items() if not text.startswith("One row")] == []
    # once of a snapshot, once of a text that is shared by many columns
    assert said["history.published_tiers.reviewed_on"] == (
        "Period end of the closed review that the publication showed first."
    )
    assert said["marts.customers.customer_id"] == (
        "Id of the customer after merges: an id that was merged into another is replaced by the id that "
        "stayed. Ids are text, trimmed, otherwise as the source writes them."
    )


def test_publication_can_be_opened_by_duckdb_1_4(warehouse: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{publish(warehouse)}' as publication (read_only)")
        (tags,) = connection.execute(
            "select tags from duckdb_databases() where database_name = 'publication'"
        ).fetchone()
    assert tags["storage_version"].startswith("v1.4")


def test_work_database_is_of_the_newest_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which DuckDB before 2.0, as it is here for once, makes only when it is told to."""
    usual = {"storage_compatibility_version": "v1.0.0"}
    connect = duckdb.connect
    monkeypatch.setattr(
        duckdb, "connect", lambda path, config=usual, **given: connect(path, config=config, **given)
    )
    refreshing.start_afresh(tmp_path)
    with connect(str(tmp_path / "work.duckdb")) as connection:
        connection.execute("create macro half(number decimal(18, 2)) as number / 2")


def test_reader_keeps_the_publication_that_it_opened(warehouse: Path) -> None:
    published = publish(warehouse)
    with open_publication(published) as reader:
        with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
            connection.execute("delete from marts.tiers")
        publish(warehouse)
        assert reader.execute("select count(*) from marts.tiers").fetchone() == (3,)
    with open_publication(published) as reader:
        assert reader.execute("select count(*) from marts.tiers").fetchone() == (0,)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_files_are_private_until_they_are_published(
    umask: int, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask; what readers may open is opened to them at the end, as the umask says."""

    def modes() -> dict[str, str]:
        found = sorted((warehouse / "publications").rglob("*"))
        return {path.name: f"{stat.S_IMODE(path.stat().st_mode):o}" for path in found}

    made: dict[str, str] = {}
    seal = publishing._seal
    monkeypatch.setattr(publishing, "_seal", lambda *given: (made.update(modes()), seal(*given)))
    before = os.umask(umask)
    try:
        publish(warehouse)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert {made[PUBLICATION], made[RESTRICTED], made["customers.parquet"]} == {"600"}
    sealed = modes()
    assert sealed[RESTRICTED] == "400"
    readers_file, folder = {0: ("444", "755"), 0o022: ("444", "755"), 0o077: ("400", "700")}[umask]
    assert {sealed[PUBLICATION], sealed["customers.parquet"], sealed["manifest.json"]} == {
        readers_file
    }
    assert {sealed["parquet"], sealed[current_publication(warehouse).name]} == {folder}


@pytest.mark.parametrize("content", [b"", b"not a database"])
def test_failed_publication_leaves_the_last_one(warehouse: Path, content: bytes) -> None:
    published = publish(warehouse)
    before = published.read_bytes()
    (warehouse / "work.duckdb").write_bytes(content)
    with pytest.raises(BuildError, match="publication"):
        publish(warehouse)
    assert published.read_bytes() == before


def test_status_and_history_say_how_runs_ended(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published twice by hand, none of it finished in the ledger: as if the runs had been killed."""
    monkeypatch.setenv("COLUMNS", "200")
    assert run("status", "--warehouse", warehouse)[0] == ExitCode.SOURCE
    first = publish(warehouse).resolve().parent.name
    publish(warehouse)
    code, output, _ = run("status", "--warehouse", warehouse)
    second = (warehouse / "current").resolve().name
    assert (code, "Publications kept  2" in output) == (ExitCode.OK, True)
    assert f"{second}, refresh: interrupted" in output  # nobody holds the lock
    with locked(warehouse):
        assert f"{second}, refresh: running" in run("status", "--warehouse", warehouse)[1]
    code, output, _ = run("rollback", "--warehouse", warehouse)
    assert (code, f"publication of run {first} again" in output) == (ExitCode.OK, True)
    assert (warehouse / "current").resolve().name == first
    words = [line.split()[1:4] for line in run("history", "--warehouse", warehouse)[1].splitlines()]
    assert words[1:] == [
        ["rollback", "published", "publish"],
        ["refresh", "published", "preflight"],  # what readers saw had been published
        ["refresh", "interrupted", "preflight"],
    ]


def test_rollback_with_nothing_earlier_says_so(warehouse: Path) -> None:
    first = publish(warehouse).resolve().parent.name
    code, _, errors = run("rollback", "--warehouse", warehouse)
    assert code == ExitCode.SOURCE
    said = f"Error: {warehouse}: found none before the publication of run {first}; allowed is an earlier one to go back to"
    assert errors == f"{said}.\n"
    second = publish(warehouse).resolve().parent.name
    run("rollback", "--warehouse", warehouse)
    _, _, errors = run("rollback", "--warehouse", warehouse)
    assert errors == f"{said}, or with --to a later one: {second}.\n"


AT = datetime(2025, 7, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "published", "exit_code": 0}, "refresh when there are new raw data"),
        ({"status": "failed", "exit_code": 2}, "mend the configuration, then refresh"),
        ({"status": "failed", "exit_code": 3}, "mend the raw data, then refresh"),
        ({"status": "failed", "exit_code": 4}, "look at {}/logs/dbt.log, then refresh"),
        ({"status": "failed", "exit_code": 5}, "with --accept-change when the difference is inten"),
        ({"status": "failed", "exit_code": 1}, "refresh again"),
        ({"status": "interrupted", "exit_code": 143}, "refresh again"),
        ({"status": "running", "stage": "build"}, "refresh again"),  # nobody holds the lock
    ],
)
def test_status_says_what_is_next(warehouse: Path, changes: dict[str, object], said: str) -> None:
    ledger = Ledger(warehouse)
    ledger.update(ledger.start("refresh"), **changes)
    assert said.format(warehouse) in read_status(warehouse, AT).next.en


def test_status_says_the_age_and_the_stage_of_what_runs(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    seen = publish(warehouse).resolve().parent.name
    ledger = Ledger(warehouse)
    [published] = ledger.runs()
    moment = (AT - timedelta(hours=50)).isoformat()
    ended = {"status": "published", "started_at": moment, "finished_at": moment}
    ledger.update(published, **ended, as_of_date="2025-06-15")
    ledger.update(
        ledger.start("refresh"), stage="build", started_at=(AT - timedelta(0, 200)).isoformat()
    )
    with locked(warehouse):
        status = read_status(warehouse, AT)
        console = Console(width=200, file=StringIO())
        print_status(status, console, Language.EN)
        lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
        assert f"Readers see {seen}" in lines
        assert "Published at 2025-07-02 10:00 UTC (2 days ago)" in lines
        assert "Stage build, running for 3 minutes" in lines
        assert "Next wait: then comes audit, publish" in lines
        found = json.loads(status_as_json(status))
    assert (found["age_seconds"], found["running_for_seconds"]) == (50 * 3600, 200)
    assert (found["readers_see"], found["status"]) == (seen, "running")
    [newest, oldest] = json.loads(run("history", "--warehouse", warehouse, "--json")[1])
    assert (newest["stage"], oldest["run_id"]) == ("build", seen)


def test_history_says_what_changed_of_the_rules(warehouse: Path) -> None:
    runs = [publish(warehouse).resolve().parent for _ in range(2)]
    for folder, score in zip(runs, ("60", "55"), strict=True):
        folder.chmod(0o755)
        write_rules(Rules({"tiers.csv": f"tier,enter\ngold,{score}\n"}, {}, {}, {}), folder)
    names = [folder.name for folder in runs]
    _, output, _ = run("history", "--warehouse", warehouse, "--rules", *names)
    words = [line.split() for line in output.splitlines()]
    assert words[1:] == [["seeds/tiers.csv,", "row", "gold,", "enter", "60", "55"]]
    _, output, _ = run("history", "--warehouse", warehouse, "--rules", *names, "--json")
    assert json.loads(output) == [
        {"where": "seeds/tiers.csv, row gold, enter", "before": "60", "after": "55"}
    ]
    same = ("history", "--warehouse", warehouse, "--rules", names[0], names[0])
    assert run(*same)[1] == "No rule has changed.\n"
    code, _, errors = run("history", "--warehouse", warehouse, "--rules", names[0], "none")
    assert (code, "found no publication of run 'none'" in errors) == (ExitCode.SOURCE, True)


def test_a_ledger_of_the_release_before_gets_the_new_columns(warehouse: Path) -> None:
    publish(warehouse)
    with closing(sqlite3.connect(warehouse / "runs.sqlite")) as connection, connection:
        for name in ("rules", "options"):
            connection.execute(f"alter table runs drop column {name}")
    ledger = Ledger(warehouse)
    ledger.start("refresh", rules="seeds 1", options="--full")
    assert [(run_.rules, run_.options) for run_ in ledger.runs()] == [
        (None, None),
        ("seeds 1", "--full"),
    ]


# -- Report ----------------------------------------------------------------------------------------


def test_the_published_log_says_what_exit_codes_mean_and_no_more(warehouse: Path) -> None:
    codes = [0, 1, 2, 3, 4, 5, 6, 130, 143, 77, None]
    ledger = Ledger(warehouse)
    log = [
        ledger.update(ledger.start("refresh"), exit_code=code, message=f"canary {code}")
        for code in codes
    ]
    publish_run(warehouse, log)
    with open_publication(warehouse / PUBLICATION) as connection:
        messages = connection.execute(
            "select message from quality.refresh_log order by run_id"
        ).fetchall()
    assert [message for (message,) in messages] == [
        "done",
        "a failure that nobody foresaw",
        "the configuration or the command line is wrong",
        "raw data, or the warehouse to report on, are missing or unusable",
        "a model, a test or the publication failed",
        "the audit failed",
        "another refresh of the warehouse is running",
        "it was told to stop (SIGINT)",
        "it was told to stop (SIGTERM)",
        "a failure that nobody foresaw",
        None,
    ]
    assert [run_.message for run_ in ledger.runs()] == [f"canary {code}" for code in codes]


def test_report_counts_the_small_warehouse(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    publish(warehouse)
    code, output, _ = run("report", "--warehouse", warehouse)
    assert code == ExitCode.OK
    words = [line.split() for line in output.splitlines()]
    assert "Customer tiers as of 2025-06-15, in EUR" in output
    assert ["Gold", "1", "25.0", "%", "█████", "1,500", "75.0", "%", "█" * 15] in words
    assert ["Basic", "2", "50.0", "%", "█" * 10, "500", "25.0", "%", "█████"] in words
    assert ["No", "tier", "1", "25.0", "%", "█████", "0", "0.0", "%"] in words
    tiers = [line[0] for line in words if line and line[0] in ("Gold", "Basic", "No")]
    assert tiers == ["Gold", "Basic", "No"]
    assert "of_another_version" not in output
    assert "Movements of the last closed period, to 2025-05-31" in output
    assert ["Entered", "2", "First", "order"] in words
    assert ["downgrade", "1", "recency_down"] in words
    assert "monetary_up" not in output
    assert ["Spending", "fell", "1", "1"] in words
    actions = [line for line in words if line and line[0] in ("answer", "call", "none")]
    assert actions == [["answer", "1"], ["call", "Sales", "2"]]
    assert ["orders", "1,200", "1,190", "3", "7"] in words
    assert "refunds" not in output
    assert ["orders.status", "Row", "rejected", "No", "value", "[/void]", "7"] in words
    unknown = "orders (customers: 27, 20.0 % of orders, amount: 1,300.00, 50.0 % of revenue)"
    assert ["unknown_customers", *unknown.split()] in words
    assert ["Few", "customers", "monetary,", "recency"] in words
    assert ["odd", "orders"] in words
    assert ["top_tier_share", *"gold: its least orders keep most out".split()] in words
    undecided = "customers (rows: 1), orders (rows: 1,230, amount: 36,970.50)"
    assert ["None", "is", "newer", *undecided.split()] in words
    assert ["unused_rows", "tickets", "(rows:", "2)"] in words
    assert "rows_rejected" not in output
    assert not re.search("[\u4e00-\u9fff]", output)  # one language at a time
    assert ["In", "any", "DuckDB", "client", str(warehouse / PUBLICATION)] in words
    assert "audited" not in output  # this publication has no page


def test_report_in_chinese_and_for_programs(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language is the option's, else the first locale's that is set, else English."""
    monkeypatch.setenv("COLUMNS", "140")
    publish(warehouse)
    _, output, _ = run("report", "--warehouse", warehouse, "--lang", "zh")
    words = [line.split() for line in output.splitlines()]
    assert "客户等级（截至 2025-06-15，单位 EUR）" in output
    assert ["黄金", "1", "25.0", "%", "█████", "1,500", "75.0", "%", "█" * 15] in words
    assert ["进入", "2", "首次下单"] in words
    assert ["消费下降", "1", "1"] in words
    assert ["call", "销售部", "2"] in words  # an action without a label
    assert ["orders.status", "整行拒绝", "缺少值", "[/void]", "7"] in words
    unknown = "orders（客户：27，占 orders 的 20.0 %，金额 1,300.00，占收入的 50.0 %）"
    assert ["unknown_customers", *unknown.split()] in words
    for name in ("Customer tiers", "Spending", "First order", "Row rejected", "Sales"):
        assert name not in output
    monkeypatch.setenv("TIERING_WAREHOUSE", str(warehouse))
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert run("report")[1] == output
    monkeypatch.setenv("LC_ALL", "C")
    assert "Customer tiers" in run("report")[1]
    found = json.loads(run("report", "--json")[1])
    assert found["as_of"] == "2025-06-15"
    assert found["tiers"][0]["tier_code"] == "gold"
    assert found["tiers"][0]["label_zh"] == "黄金"
    assert found["tiers"][0]["window_revenue"] == "1500.00"
    assert found["reconciliation"][0]["rows_in"] == 1200


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_cut_at_sixty_columns(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Every character that is printed in a wide window is in a narrow one too, but for bars."""
    publish(warehouse)
    for command in ("report", "status", "history"):
        printed = []
        for columns in (1000, 60):
            console = Console(
                width=columns,
                file=StringIO(),
                force_terminal=True,
                no_color=True,
                markup=False,
                emoji=False,
            )
            monkeypatch.setattr(cli, "console", console)
            run(command, "--warehouse", warehouse, "--lang", language)
            text = re.sub("\x1b\\[[0-9;]*m", "", console.file.getvalue())
            assert all(cell_len(line) <= columns for line in text.splitlines())
            printed.append(Counter(re.sub(r"[\s█▏▎▍▌▋▊▉]|\d+ (seconds?|秒)", "", text)))
        assert printed[0] == printed[1], command


def test_a_sentence_without_blanks_is_folded_and_not_cut() -> None:
    sentence = "多数客户的营销许可未知：可执行的行动很少，请先补充许可"
    table = plain_table("Warning", "警告", "Where")
    table.add_row("Consent is unknown", sentence, "customers (customers: 4,372)")
    console = Console(width=60, file=StringIO())
    console.print(table)
    shown = re.sub(r"[^一-龥：，]", "", console.file.getvalue())
    assert shown == f"警告{sentence}"


def test_report_before_any_order(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        for name in MARTS.keys() - {"quality.settings"}:
            connection.execute(f"delete from {name}")
    publish(warehouse)
    code, output, _ = run("report", "--warehouse", warehouse)
    assert code == ExitCode.OK
    assert "No orders yet, in EUR" in output


@pytest.mark.parametrize("content", [None, b"not a database"])
def test_report_without_a_publication(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "customer_tiering.duckdb").write_bytes(content)
    code, _, errors = run("report", "--warehouse", tmp_path)
    assert code == ExitCode.SOURCE
    assert f"{tmp_path / 'customer_tiering.duckdb'}: found " in errors


# -- Failures and progress -------------------------------------------------------------------------

TELL = "import os, sys; sys.stdout = open(sys.argv[1], 'a'); print(*(os.environ['TIERING_' + name] for name in ('EXIT_CODE', 'RUN', 'STAGE', 'MESSAGE')), sep='|')"


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (BuildError("a sentence; $(touch x)."), 4, "a sentence; $(touch x)."),
        (Stopped(15), 143, "the run was stopped by SIGTERM."),
        (ValueError("canary"), 1, "ValueError"),
    ],
)
def test_a_command_is_told_of_a_failure(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch,
    failure: BaseException, code: int, message: str,
) -> None:  # fmt: skip
    def build(*_: object) -> building.Build:
        raise failure

    monkeypatch.setattr(refreshing, "build", build)
    told = tmp_path / "told with 'a quote'.txt"
    command = shlex.join([sys.executable, "-c", TELL, str(told)])
    given = ("refresh", "--raw", raw, "--warehouse", tmp_path / "w", "--on-failure", command)
    if code == 1:
        with pytest.raises(ValueError, match="canary"):
            run(*given)
    else:
        assert run(*given)[0] == code
    [run_] = Ledger(tmp_path / "w").runs()
    assert told.read_text() == f"{code}|{run_.run_id}|build|{message}\n"


@pytest.mark.parametrize(
    ("command", "note"),
    [
        ("/no/such/command", "could not be run to its end (No such file or directory)."),
        (shlex.join([sys.executable, "-c", "raise SystemExit(7)"]), "ended with 7."),
    ],
)
def test_a_command_that_fails_itself_changes_nothing(
    tmp_path: Path, command: str, note: str, no_build: None
) -> None:
    missing = tmp_path / "raw"
    given = ("refresh", "--raw", missing, "--warehouse", tmp_path / "w", "--on-failure", command)
    code, _, errors = run(*given)
    assert code == ExitCode.SOURCE
    assert note in errors
    assert errors.endswith(
        f"Error: raw folder {missing}: found no such folder; allowed is a folder with the raw tables.\n"
    )


def test_a_command_is_told_of_a_configuration_that_is_wrong_and_not_of_a_success(
    tmp_path: Path, raw: Path, fake_build: list[dict[str, object]]
) -> None:
    told = tmp_path / "told"
    command = shlex.join([sys.executable, "-c", TELL, str(told)])
    given = ("refresh", "--raw", raw, "--warehouse", tmp_path / "w", "--on-failure", command)
    assert run(*given)[0] == ExitCode.OK
    assert not told.exists()
    assert run(*given, "--vars", "{rfm_window_days: 0}")[0] == ExitCode.CONFIGURATION
    assert told.read_text().startswith("2|||command line, var rfm_window_days: found 0;")
    for command in ("", "mail 'unfinished"):
        code, _, errors = run(*given[:-1], command)
        assert (code, "--on-failure: found" in errors) == (ExitCode.CONFIGURATION, True)


def test_a_stage_writes_a_line_and_another_from_time_to_time() -> None:
    """The time between lines is none here, so that nothing is waited for."""
    console = Console(width=200, file=StringIO())
    progress = Progress(console, seconds=0.001)
    with progress.stage("parse"):
        pass
    with progress.stage("build"):
        progress.update(3, 9, "int_orders")
        for _ in range(10_000):
            if "int_orders" in console.file.getvalue():
                break
            sleep(0.001)
    lines = [line.partition(" ")[2] for line in console.file.getvalue().splitlines()]
    assert lines[0] == "parse"
    assert "build" in lines
    assert re.fullmatch(r"build: \d+ s, 3 of 9 done, int_orders", lines[-1])
    console = Console(width=200, file=StringIO(), force_terminal=True, no_color=True)
    progress = Progress(console)
    with progress.stage("build"):
        progress.update(3, 9, "int_orders")
    assert re.search(r"build: \d+ s", console.file.getvalue())


# -- Build -----------------------------------------------------------------------------------------


def test_refresh_builds_publishes_and_reports(tmp_path: Path, raw: Path, toy_project: Path) -> None:
    """What a failing test does is seen in test_refresh_faults.py."""
    folder = tmp_path / "w"
    code, output, errors = run(
        *("refresh", "--project", toy_project, "--raw", raw, "--warehouse", folder)
    )
    assert (code, errors) == (ExitCode.OK, "")
    assert f"{len(MARTS) + 1} models, seeds and tests in " in output
    stages = [line.split()[1] for line in output.splitlines() if re.match(r"\d{4}-\S+ \w+$", line)]
    assert stages == ["preflight", "parse", "build", "audit", "publish"]
    assert (folder / "current" / "audit.html").is_file()
    assert str(folder / "audit.html") in re.sub(r"\s", "", output)
    manifest = json.loads((folder / "current" / "manifest.json").read_text())
    assert {"audit.html", "rules.json"} < set(manifest["files"])
    assert manifest["rules"] == read_rules(folder / "current").digests()
    assert [run_.rules for run_ in Ledger(folder).runs()] == [str(read_rules(folder / "current"))]
    assert "Customer tiers as of 2025-06-15" in output
    assert {p.name for p in folder.iterdir()} == {
        *("logs", "target", "work.duckdb", "refresh.lock", "runs.sqlite"),
        *("publications", "current", "customer_tiering.duckdb", "customer_contacts.duckdb"),
        *("overview.html", "audit.html"),
    }
    assert not (toy_project / "target").exists()
    assert not (toy_project / "logs").exists()


def test_failure_names_the_first_node_and_counts_the_others(tmp_path: Path) -> None:
    results = tmp_path / "run_results.json"
    nodes = [
        ("model.customer_tiering.int_orders", "success", "OK"),
        ("model.customer_tiering.int_tiers", "error", "Runtime Error\n  Binder Error:  no x."),
        ("model.customer_tiering.tiers", "skipped", None),
        ("test.customer_tiering.revenue_adds_up.a1b2", "fail", "Got 2 results"),
    ]
    keys = ("unique_id", "status", "message")
    results.write_text(
        json.dumps({"results": [dict(zip(keys, node, strict=True)) for node in nodes]})
    )
    assert building._failure(building._Run(), results, Path("dbt.log")) == (
        "model int_tiers failed, and 1 more: Runtime Error Binder Error: no x "
        "(the whole log: dbt.log)."
    )


@pytest.mark.parametrize(
    "total",
    [
        "select cast(sum(amount) as decimal(18, 2)) from range(11), "
        "(select 999999999999999.99 as amount)",
        "select amount * amount from (select cast(999999999999999999 as decimal(38, 2)) as amount)",
        "select sum(amount) from range(300), (select cast(repeat('9', 36) as decimal(38, 2)) as amount)",
    ],
)
def test_a_total_that_does_not_fit_is_one_sentence(tmp_path: Path, total: str) -> None:
    """With what DuckDB itself says of one."""
    with pytest.raises(duckdb.Error) as error:
        duckdb.sql(total).fetchall()
    results = tmp_path / "run_results.json"
    message = f"Runtime Error in model int_total (models/int_total.sql)\n  {error.value}"
    results.write_text(
        json.dumps(
            {"results": [{"unique_id": "model.p.int_total", "status": "error", "message": message}]}
        )
    )
    said = building._failure(building._Run(), results, Path("dbt.log"))
    assert said.startswith(
        "model int_total failed: a total is larger than its column holds; allowed are totals below 10^16: "
    )
    assert "(var reporting_currency), or correct the source (" in said
    assert said.count(". ") == 0
    assert said.endswith("(the whole log: dbt.log).")


def test_failure_before_any_node_tells_the_last_error(tmp_path: Path) -> None:
    run_ = building._Run()
    run_.read(
        '{"data": {}, "info": {"level": "error", "name": "X", "msg": "[ERROR]: Parsing\\nError"}}'
    )
    run_.read("a line from outside the logger")
    run_.read("")
    missing = tmp_path / "run_results.json"
    assert building._failure(run_, missing, Path("dbt.log")).startswith("dbt stopped: Parsing Err")
    run_.last_error = ""
    assert "canary" not in building._failure(
        building._Run(last_words="Conversion Error: Could not convert string 'canary' to INT32"),
        missing,
        Path("dbt.log"),
    )
    assert "a line from outside the logger" in building._failure(run_, missing, Path("dbt.log"))


def test_module_runs_as_the_command_does(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "customer_tiering", "report", "--warehouse", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == ExitCode.SOURCE
    assert result.stderr.startswith("Error: ")
