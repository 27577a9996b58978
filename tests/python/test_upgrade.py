"""A warehouse that the release before built is refreshed by this one.

tests/python/releases/README.md says what is in it; what is expected here is worked out from that by hand.
"""

from __future__ import annotations

import csv
import tarfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from cli_without_audit import pass_audit
from made_once import PROJECT
from refresh_in_process import refresh_in_process
from typer.testing import CliRunner

from customer_tiering import cli
from customer_tiering.audit_bounds import read_bounds
from customer_tiering.auditing import AuditSummary
from customer_tiering.configuration import load_configuration
from customer_tiering.publishing import (
    AUDIT,
    OVERVIEW,
    PUBLICATION,
    RESTRICTED,
    current_publication,
    open_publication,
)

RELEASE = Path(__file__).parent / "releases" / "marts_duckdb.tar.xz"
OLD_NAME = "marts.duckdb"
PAGES = (OVERVIEW, AUDIT)
VARS = {"run_date": "2025-07-02", "history_starts_on": "2024-01-01"}
MAY, JUNE = "20250601T020000Z-000000", "20250701T020000Z-000000"
AS_OF_MAY, AS_OF_JUNE = date(2025, 5, 31), date(2025, 6, 30)
# customer, tier, review, published as of, replaced as of
HISTORY = [
    ("faithful", "diamond", AS_OF_MAY, AS_OF_MAY, None),
    ("lapsed", "none", AS_OF_MAY, AS_OF_MAY, None),
    ("leaving", "bronze", AS_OF_MAY, AS_OF_MAY, AS_OF_JUNE),
    ("leaving", "none", AS_OF_JUNE, AS_OF_JUNE, None),
    ("newcomer", "bronze", AS_OF_JUNE, AS_OF_JUNE, None),
    ("occasional", "bronze", AS_OF_MAY, AS_OF_MAY, None),
]
CUSTOMERS = ["faithful", "lapsed", "leaving", "newcomer", "occasional", "prospect"]
# One more signs up the day after, who has not ordered yet: nothing else changes.
LATE_COMER = "late_comer,Gus Example,gus@example.com,,,2025-06-29,false,2025-06-29 09:00:00\n"


@dataclass(frozen=True)
class Upgraded:
    """A warehouse after its refresh, and what was seen on the way there."""

    warehouse: Path
    old: Path
    new: Path
    reported_before: str
    refused_before: str
    audited_beside: Path


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Upgraded:
    folder = tmp_path_factory.mktemp("upgrade")
    with tarfile.open(RELEASE) as archive:
        archive.extractall(folder, filter="tar")
    raw, warehouse = folder / "raw", folder / "warehouse"
    reported = tiering("report", "--warehouse", warehouse)
    refused = CliRunner().invoke(
        cli.app,
        [
            "export",
            "--warehouse",
            str(warehouse),
            "--layout",
            "plain",
            "--out",
            str(folder / "out"),
        ],
    )
    with (raw / "customers.csv").open("a", encoding="utf-8") as file:
        file.write(LATE_COMER)
    audited = refresh(raw, warehouse)
    return Upgraded(
        warehouse=warehouse,
        old=warehouse / "publications" / JUNE,
        new=current_publication(warehouse),
        reported_before=reported,
        refused_before=refused.output,
        audited_beside=audited,
    )


def tiering(*arguments: object) -> str:
    """What a command says; it must succeed."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def changes_since(run: str, warehouse: Path, folder: Path) -> dict[str, str]:
    """Whom an export with contacts names since a run, and how each has changed."""
    tiering(
        *("export", "--warehouse", warehouse, "--layout", "plain", "--with-contacts"),
        *("--changed-since", run, "--out", folder),
    )
    with (folder / "customers-0001.csv").open(encoding="utf-8") as file:
        return {row["customer_id"]: row["change"] for row in csv.DictReader(file)}


def refresh(raw: Path, warehouse: Path) -> Path:
    """Refresh; gives the file that the audit would have compared with."""
    compared = []

    def audit(work: Path, previous: Path, *arguments: object) -> AuditSummary:
        compared.append(previous)
        return pass_audit(work, previous, *arguments)

    refresh_in_process(raw, warehouse, VARS, audit=audit)
    (previous,) = compared
    return previous


def rows(database: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def customers(database: Path) -> list[str]:
    return [
        name for (name,) in rows(database, "select customer_id from marts.customers order by 1")
    ]


def test_what_the_release_before_published_can_be_read(upgraded: Upgraded) -> None:
    assert "Customer tiers as of 2025-06-30" in upgraded.reported_before


def test_what_the_release_before_published_cannot_be_exported(upgraded: Upgraded) -> None:
    assert upgraded.refused_before == (
        f"Error: {upgraded.old}: found no marts.customer_profiles, as an earlier release published it; "
        "allowed is a publication of this release, which `tiering refresh` makes.\n"
    )


def test_published_history_goes_on(upgraded: Upgraded) -> None:
    carried = rows(
        upgraded.warehouse / PUBLICATION,
        "select customer_id, tier_code, reviewed_on, cast(dbt_valid_from as date), "
        "cast(dbt_valid_to as date) from history.published_tiers order by 1, 4",
    )
    assert carried == HISTORY


def test_nobody_without_a_tier_looks_changed(upgraded: Upgraded) -> None:
    """The release before had NULL where `none` is now; no stretch begins or ends on another day.

    faithful apart, whom the ladder of this release gives diamond earlier: from 87 points on.
    """
    wanted = {"lapsed": "none", "leaving": "none", "prospect": "none", "occasional": "bronze"}
    found = dict(
        rows(upgraded.warehouse / PUBLICATION, "select customer_id, tier_code from marts.customers")
    )
    assert {name: found[name] for name in wanted} == wanted
    for table in ("customer_tier_history", "published_tier_changes"):
        columns = "customer_id, tier_code, valid_from, valid_to"
        query = f"select {columns} from marts.{table} where customer_id <> 'faithful'"
        now = rows(upgraded.warehouse / PUBLICATION, query)
        with open_publication(upgraded.old / OLD_NAME) as connection:
            before = connection.execute(query).fetchall()
        assert None in {tier for _, tier, *_ in before}
        assert sorted(now, key=str) == sorted(
            ((name, tier or "none", *dates) for name, tier, *dates in before), key=str
        )


def test_the_log_goes_on(upgraded: Upgraded) -> None:
    log = rows(
        upgraded.warehouse / PUBLICATION,
        "select run_id, status, rows_in from quality.refresh_log order by started_at",
    )
    # 5 customers and 8 orders; 6 and 10; one more customer
    assert log == [
        (MAY, "published", 13),
        (JUNE, "published", 16),
        (upgraded.new.name, "published", 17),
    ]


def test_counts_are_compared(upgraded: Upgraded) -> None:
    """The floor of raw rows is that of the publication before, and the audit gets its file."""
    work = upgraded.warehouse / "work.duckdb"
    with duckdb.connect(str(work), read_only=True) as connection:
        counts = connection.execute(
            "select source_table, rows_in from last_publication.reconciliation where rows_in > 0"
        ).fetchall()
    assert dict(counts) == {"customers": 6, "orders": 10}
    assert upgraded.audited_beside.resolve() == upgraded.old / OLD_NAME
    settings = load_configuration(PROJECT, VARS).settings
    limits = read_bounds(work, upgraded.audited_beside, settings)
    before = {bound.measure: bound.before for bound in limits.bounds}
    # reviews from the first order on: faithful 16, lapsed 18, leaving 14, newcomer 1, occasional 6
    assert before["rows_of_customers"] == 6
    assert before["rows_of_orders"] == 9  # of ten one is rejected
    assert before["rows_of_customer_periods"] == 55


def test_since_the_release_before_all_are_exported(upgraded: Upgraded, tmp_path: Path) -> None:
    """It published no profiles: whoever was there counts as changed."""
    exported = changes_since(JUNE, upgraded.warehouse, tmp_path / "exported")
    assert exported == {"late_comer": "new", **dict.fromkeys(CUSTOMERS, "changed")}


def test_readers_go_back_and_forward(upgraded: Upgraded) -> None:
    warehouse = upgraded.warehouse
    published = warehouse / PUBLICATION
    contacts = "select customer_id from restricted.customer_contacts order by 1"
    assert customers(published) == sorted([*CUSTOMERS, "late_comer"])

    tiering("rollback", "--warehouse", warehouse)
    assert customers(published) == CUSTOMERS
    assert not any((warehouse / page).is_symlink() for page in PAGES)  # it had none
    assert [name for (name,) in rows(warehouse / RESTRICTED, contacts)] == CUSTOMERS
    assert "Customer tiers as of 2025-06-30" in tiering("report", "--warehouse", warehouse)
    tiering("rollback", "--warehouse", warehouse, "--to", MAY)
    assert customers(published) == [name for name in CUSTOMERS if name != "newcomer"]

    tiering("rollback", "--warehouse", warehouse, "--to", upgraded.new.name)
    assert customers(published) == sorted([*CUSTOMERS, "late_comer"])
    assert all((warehouse / page).is_file() for page in PAGES)


def test_the_links_are_those_of_today(upgraded: Upgraded) -> None:
    links = {path.name for path in upgraded.warehouse.iterdir() if path.is_symlink()}
    assert links == {"current", PUBLICATION, RESTRICTED, *PAGES}
    files = {path.name for path in upgraded.new.iterdir() if path.suffix == ".duckdb"}
    assert files == {PUBLICATION, RESTRICTED}
