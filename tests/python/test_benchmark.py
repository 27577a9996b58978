"""The benchmark: what it generates, and that its report adds up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject

from bench.baseline import run_baseline
from bench.comparing import COMPARED, Comparison, compare
from bench.cost import Cost
from bench.generate import (
    CLOSED_PERIODS,
    LAST_DAY,
    TABLES,
    Size,
    first_day,
    write_tables,
)
from bench.landing_zone import add_day, add_order, late, lay_out, raw_rows
from bench.plots import plots
from bench.processes import Measured
from bench.refresh import Stages, time_stages
from bench.refreshes import Refresh, parts_of
from bench.report import MARK, PAGE, comparison, days_table, goals, page, parts_table, plot_file
from bench.results import Day, Results, keep, read
from bench.rfm import THIS_PROJECT, WAYS, Peer, what_is_kept
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
    write_tables(folder, Size(customers=300, orders=3_000), CLOSED_PERIODS, seed=1)
    return folder


@pytest.fixture(scope="module")
def landing_zone(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small shop's landing zone on the day after."""
    raw = tmp_path_factory.mktemp("zone") / "raw"
    lay_out(tables, raw)
    add_day(raw, NEXT_DAY)
    return raw


@pytest.fixture(scope="module")
def built(
    compiled: Callable[..., CompiledProject], landing_zone: Path
) -> duckdb.DuckDBPyConnection:
    with compiled().build(landing_zone) as connection:
        yield connection


def test_the_same_size_and_seed_give_the_same_bytes(tables, tmp_path):
    write_tables(tmp_path, Size(customers=300, orders=3_000), CLOSED_PERIODS, seed=1)
    for table in TABLES:
        name = f"{table}.parquet"
        assert (tmp_path / name).read_bytes() == (tables / name).read_bytes(), table


def test_tables_have_the_shares_of_the_sample_company(tmp_path):
    write_tables(tmp_path, Size(customers=5_000, orders=50_000), CLOSED_PERIODS, seed=1)

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


def test_a_younger_shop_has_as_many_closed_months_and_as_many_orders_a_month(tmp_path):
    assert [first_day(months).isoformat() for months in (12, 24, 36)] == [
        "2024-12-01",
        "2023-12-01",
        "2022-12-01",
    ]
    size = Size(customers=300, orders=3_000).aged(12)
    assert size == Size(customers=300, orders=1_000)
    write_tables(tmp_path, size, 12, seed=1)
    orders = duckdb.read_parquet(str(tmp_path / "orders.parquet"))
    assert orders.aggregate(
        "count(*), min(ordered_at)::date, max(ordered_at)::date"
    ).fetchall() == [(1_000, first_day(12), LAST_DAY)]
    campaigns = duckdb.read_parquet(str(tmp_path / "campaigns.parquet"))
    assert campaigns.aggregate("max(starts_on)").fetchall() == [(NEXT_DAY,)]


def test_one_order_arrives_for_a_customer_who_is_known(tables, tmp_path):
    raw = tmp_path / "raw"
    lay_out(tables, raw)
    rows = raw_rows(raw)
    for name, day in (("one", NEXT_DAY), ("late", late(NEXT_DAY))):
        customer_id = add_order(raw, day, name)
        added = duckdb.read_parquet(str(raw / "orders" / f"{name}.parquet"))
        assert added.project("customer_id, ordered_at::date, status").fetchall() == [
            (customer_id, day, "completed")
        ]
    assert raw_rows(raw) == rows | {"orders": rows["orders"] + 2}
    assert (NEXT_DAY - late(NEXT_DAY)).days == 40


def test_script_and_models_agree_to_the_row(built, landing_zone, tmp_path):
    (as_of,) = built.execute("select as_of_date from intermediate.int_as_of").fetchone()
    script, publication = tmp_path / "script.duckdb", tmp_path / "publication.duckdb"
    run_baseline(landing_zone, as_of, script)
    built.execute(f"attach '{publication}' as publication")
    built.execute("create schema publication.marts")
    for table in ("customer_periods", "customer_alerts", "customer_actions"):
        built.execute(f"create table publication.marts.{table} as from work.marts.{table}")
    built.execute("detach publication")
    found = compare(script, publication)
    assert found.differences == {}
    assert {table: rows > 300 for table, rows in found.rows.items()} == dict.fromkeys(
        ("history", "alerts", "actions"), True
    )
    with duckdb.connect(str(script)) as connection:
        # every alert, action and stage that the shop knows is compared
        (alerts,) = connection.execute("select count(distinct alert_code) from alerts").fetchone()
        (stages,) = connection.execute(
            "select count(distinct lifecycle_stage) from history"
        ).fetchone()
        assert (alerts, stages) == (9, 8)

    with duckdb.connect(str(publication)) as connection:
        for table, column, value in (
            ("customer_periods", "tier_rank", "tier_rank + 1"),
            ("customer_alerts", "severity", "'none'"),
            ("customer_actions", "due_on", "date '2000-01-01'"),
        ):
            connection.execute(
                f"update marts.{table} set {column} = {value} where customer_id = "
                f"(select min(customer_id) from marts.{table})"
            )
        connection.execute("insert into marts.customer_actions by name select 'X' as customer_id")
    assert set(compare(script, publication).differences) == {
        "history: tier_rank",
        "alerts: severity",
        "actions: due_on",
        "actions: only in the refresh",
    }


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
    found = Comparison(dict.fromkeys(COMPARED, 7), differences)
    return Day(refresh, {"orders": 10}, Measured(Cost(4, 6), 0.5), found)


def results(closed_periods: int = CLOSED_PERIODS, memory_limit: str = "6GB") -> Results:
    days = {"first refresh": day(), "the day after": day()}
    peer = Peer(Measured(Cost(8, 6), 0.5), Cost(2, 1), 5, 1, {"it works": True})
    peers = {THIS_PROJECT: peer, "openretailscience": peer}
    return Results("1m", closed_periods, memory_limit, "One core.", "", {"orders": 10}, days, peers)


def test_parts_are_told_apart_by_stage_and_kind_of_node():
    assert parts_of(Cost(100, 60), STAGES, NODES) == PARTS


def test_the_parts_of_the_report_add_up_to_the_whole():
    shown = parts_table({"first refresh": day(), "the day after": day(), "one order": day()})
    lines = [line.strip("| ").split(" | ") for line in shown[2:]]
    figures = {name: [float(cell) for cell in cells] for name, *cells in lines}
    whole = figures["**whole refresh**"]
    assert whole == [100, 60, 100, 60]
    assert [sum(column) for column in zip(*(figures[part] for part in PARTS), strict=True)] == whole


def test_each_day_is_shown_beside_the_first():
    first = day()
    whole = Measured(Cost(25, 9), 1.5)
    quarter = Day(Refresh(whole, PARTS, Cost(9, 7)), {"orders": 1234}, None, None)
    assert days_table({"first refresh": first, "the day after": quarter})[-1] == (
        "| the day after | 1,234 | 25.0 | 9.0 | 25 % | 23.0 | 1.5 |"
    )


def test_a_difference_is_told_by_column_and_day():
    agreed = comparison({"first refresh": day(), "the day after": day()})
    assert agreed[0].startswith("Script and refreshes agree on all 2 days in 14 rows of history")
    assert comparison({"the day after": day(**{"alerts: severity": 3})}) == [
        "the day after: alerts: severity: 3 rows differ."
    ]


def test_goals_are_shown_beside_what_was_measured():
    kept = [*(results(months) for months in (12, 24, 36)), results(memory_limit="4GB")]
    shown = {
        line.split(" | ")[0].strip("| "): line.split(" | ")[2].strip(" |")
        for line in goals(kept)[4:]
    }
    assert shown == {
        "the day after, whole refresh, of the first": "100 %",
        "the day after at 12, 24 and 36 closed periods, seconds": "100, 100, 100",
        "after a period has closed, of the first": "not measured",
        "first refresh, models, against the script": "5.8 x",  # 23 to 4
        "RFM alone, models, against openretailscience": "0.2 x",  # 2 to 8
        "one order, from its file to the published tier": "not measured",
        "one order 40 days late": "not measured",
        "peak memory": "1.5 GB",
        "with a limit of 4 GB": "no failure, peak 1.5 GB",
    }


def test_results_replace_those_of_the_same_shop_and_limit(tmp_path):
    file = tmp_path / "results.json"
    for one in (results(), results(12), results(memory_limit="4GB"), results()):
        keep(one, file)
    assert [one.key for one in read(file)] == [
        ("1m", 12, "6GB"),
        ("1m", 36, "4GB"),
        ("1m", 36, "6GB"),
    ]
    assert read(file)[2] == results()


def test_the_page_is_written_from_the_results_that_are_kept():
    text, kept = PAGE.read_text(encoding="utf-8"), read()
    assert text == page(text, kept)
    for name, plot in plots(kept).items():
        assert plot_file(name).read_text(encoding="utf-8") == plot.svg, name


def test_a_page_of_other_results_replaces_what_was_written():
    by_hand = PAGE.read_text(encoding="utf-8").split(MARK)[0]
    first = page(by_hand, [results(12)])
    text = page(first, [results(), results(memory_limit="4GB")])
    assert text == page(by_hand, [results(), results(memory_limit="4GB")])
    assert text.startswith(by_hand)
    assert "12 closed periods" not in text.removeprefix(by_hand)
    for name in ("refreshes", "peers"):
        assert f"](benchmarks-{name}.svg)" in text
    assert "| hand-written script | 4.0 | 6.0 | 4.0 | 6.0 |" in text


def test_plots_show_every_part_and_peer():
    drawn = plots([results()])
    assert list(drawn) == ["refreshes", "peers"]
    for word in (*PARTS, "the day after"):
        assert f">{word}<" in drawn["refreshes"].svg, word
    for word in (THIS_PROJECT, "openretailscience"):
        assert f">{word}<" in drawn["peers"].svg, word


def test_what_is_left_out_is_tried(compiled, tmp_path):
    def here(raw: Path, _as_of: date, folder: Path, _memory_limit: str) -> tuple[None, None, str]:
        with compiled().only("customer_rfm").build(raw) as connection:
            connection.execute(f"copy marts.customer_rfm to '{folder}.parquet' (format parquet)")
        return None, None, f"select * from '{folder}.parquet'"

    kept, left_out = (
        what_is_kept(way, tmp_path / name)
        for name, way in (("here", here), ("peer", WAYS["DuckDB with ntile"]))
    )
    assert set(kept.values()) == {True}
    assert set(left_out.values()) == {False}


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
