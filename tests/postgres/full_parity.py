"""Whole companies built twice on PostgreSQL and on DuckDB, which takes minutes each: `make test-engines-full`.

Each is built first without its latest orders and then with them. docs/engines.md has what came out.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from companies import without_latest_orders
from made_once import PROJECT
from postgres_project import begin_with, build_on_duckdb, build_on_postgres, keep, periods_kept
from postgres_server import PostgresServer
from public_examples import EXAMPLES, public_folder, write_raw

from customer_tiering.comparing import compare

COMPANIES = ("sample", "completejourney_small", "online_retail")
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
    without_latest_orders(raw, tmp_path / "earlier")
    begin_with(server)
    for build, folder in (("first", tmp_path / "earlier"), ("second", raw)):
        build_on_postgres(server, tmp_path, folder, project_vars)
        build_on_duckdb(tmp_path / "warehouse", folder, project_vars)
        found = compare(
            keep(server, f"{company} {zone} {build}"), str(tmp_path / "warehouse" / "work.duckdb")
        )
        with capsys.disabled():
            rows = sum(table.left_rows for table in found)
            print(
                f"\n{company}, {zone}, {build} build: {len(found)} tables, {rows:,} rows, "
                f"{periods_kept(server)} periods kept, {[t for t in found if not t.is_equal] or 'equal'}"
            )
        assert [table for table in found if not table.is_equal] == []


def raw_folder(company: str, mapped: Path) -> Path:
    """The raw tables of a company: shipped, or mapped from public files."""
    for shipped in (PROJECT / company, EXAMPLES / company):
        if list(shipped.glob("orders*")):
            return shipped
    return write_raw(EXAMPLES / company, public_folder(company), mapped)
