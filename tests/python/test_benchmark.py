"""The benchmark: what it generates, and that its report adds up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject

from bench.baseline import run_baseline
from bench.cost import Cost
from bench.generate import LAST_DAY, TABLES, Size, write_tables
from bench.refresh import Stages, time_stages
from bench.run import (
    Day,
    Measured,
    Refresh,
    add_next_day,
    compare,
    comparison,
    costs_table,
    lay_out,
    parts_of,
    raw_rows,
)
from customer_tiering import building, publishing, refreshing

NEXT_DAY = LAST_DAY + timedelta(days=1)
# Rows per row of another table, in shop and sample alike.
SHARES = {
    "order_items": "orders",
    "interactions": "orders",
    "tickets": "orders",
    "survey_responses": "orders",
    "products": "customers",
    "referrals": "customers",
    "account_balances": "customers",
    "customer_attributes": "customers",
    "campaign_contacts": "customers",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop, as generated."""
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder, Size(customers=300, orders=3_000), seed=1)
    return folder


@pytest.fixture(scope="module")
def landing_zone(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop's landing zone on the day after."""
    raw = tmp_path_factory.mktemp("zone") / "raw"
    lay_out(tables, raw)
    add_next_day(raw, NEXT_DAY)
    return raw


@pytest.fixture(scope="module")
def built(
    compiled: Callable[..., CompiledProject], landing_zone: Path
) -> duckdb.DuckDBPyConnection:
    with compiled().build(landing_zone) as connection:
        yield connection


def test_the_same_size_and_seed_give_the_same_bytes(tables, tmp_path):
    write_tables(tmp_path, Size(customers=300, orders=3_000), seed=1)
    for table in TABLES:
        name = f"{table}.parquet"
        assert (tmp_path / name).read_bytes() == (tables / name).read_bytes(), table


def test_tables_have_the_shares_of_the_sample_company(tmp_path):
    write_tables(tmp_path, Size(customers=5_000, orders=50_000), seed=1)

    def rows(path: str) -> int:
        reader = f"read_csv('{PROJECT / 'sample' / path}', all_varchar = true, quote = '\"')"
        return duckdb.sql(f"select count(*) from {reader}").fetchall()[0][0]

    sample = {table: rows(f"{table}.csv") for table in [*SHARES, "customers"]}
    sample["orders"] = rows("orders/*.csv")
    for table, of in SHARES.items():
        made = {
            name: duckdb.read_parquet(str(tmp_path / f"{name}.parquet")).shape[0]
            for name in (table, of)
        }
        share = sample[table] / sample[of]
        assert made[table] / made[of] == pytest.approx(share, rel=0.2), table


def test_the_next_day_adds_a_file_to_each_table_that_grows(tables, landing_zone):
    new = {table for table in TABLES if len(list((landing_zone / table).iterdir())) == 2}
    assert new == set(TABLES) - {"customers", "products", "customer_attributes", "campaigns"}


def test_every_raw_row_is_staged(built, landing_zone):
    staged = dict(
        built.execute(
            "select source_table, rows_staged from quality.reconciliation where rows_in > 0"
        ).fetchall()
    )
    assert staged == raw_rows(landing_zone)
    assert built.execute("select * from quality.rejected_records").fetchall() == []


def test_script_and_models_agree_to_the_row(built, landing_zone, tmp_path):
    (as_of,) = built.execute("select as_of_date from intermediate.int_as_of").fetchone()
    run_baseline(landing_zone, as_of, tmp_path / "baseline.duckdb")
    publication = tmp_path / "publication.duckdb"
    built.execute(f"attach '{publication}' as publication")
    built.execute("create schema publication.marts")
    built.execute(
        "create table publication.marts.customer_periods as from work.marts.customer_periods"
    )
    built.execute("detach publication")
    rows, differences = compare(tmp_path / "baseline.duckdb", publication)
    assert rows > 1_000
    assert set(differences.values()) == {0}

    with duckdb.connect(str(publication)) as connection:
        connection.execute(
            "update marts.customer_periods set tier_rank = tier_rank + 1 "
            "where customer_id = (select min(customer_id) from marts.customer_periods)"
        )
    _, differences = compare(tmp_path / "baseline.duckdb", publication)
    assert {name for name, count in differences.items() if count} == {"tier_rank"}


STAGES = {
    "dbt": Cost(60, 40),
    "audit": Cost(20, 10),
    "database": Cost(5, 3),
    "Parquet": Cost(3, 2),
}
NODES = {
    "model.p.a": Cost(15, 11),
    "model.p.b": Cost(5, 4),
    "seed.p.c": Cost(1, 1),
    "snapshot.p.d": Cost(2, 1),
    "test.p.e": Cost(10, 8),
    "operation.p.f": Cost(4, 3),
    "exposure.p.g": Cost(1, 1),
}
PARTS = {
    "models": Cost(23, 17),
    "tests": Cost(10, 8),
    "audit": Cost(20, 10),
    "database": Cost(5, 3),
    "Parquet": Cost(3, 2),
    "landing": Cost(4, 3),
    "dbt itself": Cost(23, 12),  # 60 - 23 - 10 - 4 and 40 - 17 - 8 - 3
    "the rest": Cost(12, 5),  # 100 - 60 - 20 - 5 - 3 and 60 - 40 - 10 - 3 - 2
}


def day(**differences: int) -> Day:
    whole = Measured(Cost(100, 60), 1.5)
    refresh = Refresh(whole, parts_of(whole.cost, STAGES, NODES), to_history=Cost(9, 7))
    return Day(Measured(Cost(4, 6), 0.5), refresh, {"orders": 10}, 7, differences)


def test_parts_are_told_apart_by_stage_and_kind_of_node():
    assert parts_of(Cost(100, 60), STAGES, NODES) == PARTS


def test_the_parts_of_the_report_add_up_to_the_whole():
    lines = [line.strip("| ").split(" | ") for line in costs_table([day(), day()])[2:]]
    figures = {name: [float(cell) for cell in cells] for name, *cells in lines}
    whole = figures["**whole refresh**"]
    assert whole == [100, 60, 100, 60]
    assert [sum(column) for column in zip(*(figures[part] for part in PARTS), strict=True)] == whole


def test_a_difference_is_told_by_column_and_day():
    assert "0 rows differ in recency_days" in comparison([day(tier_rank=0), day()])[0]
    differences = comparison([day(tier_rank=0), day(tier_rank=3, monetary=0)])
    assert differences == ["tier_rank: 3 rows differ on day 2."]


def test_the_stages_that_are_timed_are_those_of_the_refresh(monkeypatch, tmp_path):
    for module, name in (
        (refreshing, "build"),
        (refreshing, "audit"),
        (publishing, "_write_database"),
        (publishing, "_write_parquet"),
        (building, "dbt_command"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    plain = building.dbt_command(PROJECT, tmp_path, {})
    stages = Stages()
    time_stages(stages, tmp_path / "nodes.json")
    noting = building.dbt_command(PROJECT, tmp_path, {})
    assert plain[:4] == [sys.executable, "-m", "dbt.cli.main", "build"]
    assert noting == [*plain[:2], "bench.nodes", str(tmp_path / "nodes.json"), *plain[3:]]
