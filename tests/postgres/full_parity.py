"""Whole companies built twice on PostgreSQL and on DuckDB, which takes minutes each: `make test-engines-full`.

Each is built first as it was before facts became known late, and then with them. docs/engines.md has what came out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from companies import before_late_facts
from duckdb import connect
from made_once import PROJECT
from postgres_project import begin_with, build_on_duckdb, build_on_postgres, keep, periods_kept
from postgres_server import PostgresServer
from public_examples import EXAMPLES, public_folder, write_raw

from bench.cost import Cost, spent
from customer_tiering.comparing import compare

COMPANIES = ("completejourney_small", "sample", "online_retail")
ZONES = ("Asia/Shanghai", "America/New_York")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("company", COMPANIES)
def test_a_company_is_the_same_on_both(
    server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    company: str,
    zone: str,
) -> None:
    for name, value in server.environment("postgres").items():
        monkeypatch.setenv(name, value)
    project_vars = {
        "run_date": "2026-01-31", "source_time_zone": zone, "business_time_zone": zone
    }  # fmt: skip
    raw = raw_folder(company, tmp_path / "raw")
    before_late_facts(raw, tmp_path / "earlier")
    begin_with(server)
    for build, folder in (("first", tmp_path / "earlier"), ("second", raw)):

        def on_postgres(folder: Path = folder) -> None:
            build_on_postgres(server, tmp_path, folder, project_vars)

        def on_duckdb(folder: Path = folder) -> None:
            build_on_duckdb(tmp_path / "warehouse", folder, project_vars)

        postgres, duckdb = cost_of(on_postgres, server), cost_of(on_duckdb, server)
        name, work = f"{company} {zone} {build}", tmp_path / "warehouse" / "work.duckdb"
        target = keep(server, name)
        if build == "second":
            forget_erased(server, name, work)
        found = compare(target, str(work))
        rows = sum(table.left_rows for table in found)
        different = [table for table in found if not table.is_equal]
        costs = [f"{cost.wall:.0f} ({cost.cpu:.0f})" for cost in (duckdb, postgres)]
        cells = (company, zone, build, len(found), f"{rows:,}", periods_kept(server), *costs)
        with capsys.disabled():
            print(f"\n| {' | '.join(str(cell) for cell in cells)} | {different or 0} |")
        assert different == []


def forget_erased(server: PostgresServer, database: str, work: Path) -> None:
    """Leave out what plain dbt, unlike a refresh, keeps on DuckDB of erased persons' history (docs/engines.md)."""
    delete = "delete from {}published_tier_changes where starts_with(customer_id, 'erased_')"
    with closing(server.connect(database)) as built:
        built.cursor().execute(delete.format("work_marts."))
    with connect(work) as built:
        built.execute(delete.format("marts."))


def cost_of(build: Callable[[], None], server: PostgresServer) -> Cost:
    """What a build costs in this process and on the server, raw tables that are copied there included."""
    begun, served = spent(), server.cpu_seconds()
    build()
    here = spent() - begun
    return Cost(here.wall, here.cpu + server.cpu_seconds() - served)


def raw_folder(company: str, mapped: Path) -> Path:
    """The raw tables of a company: shipped, or mapped from public files."""
    for shipped in (PROJECT / company, EXAMPLES / company):
        if list(shipped.glob("orders*")):
            return shipped
    return write_raw(EXAMPLES / company, public_folder(company), mapped)
