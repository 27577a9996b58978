"""`dbt build --select +customer_rfm`: the same rows as in a whole build, which goes on from what it went on from before.

What comes between two builds of the whole project: test_incremental.py, on compiled models; test_parity.py, by dbt.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from dbt_in_process import dbt, manifest, parsed_project
from made_once import PROJECT

# What the next build of the whole project goes on from, and the periods that it keeps.
GONE_ON_FROM = (
    *("builds.last_build", "builds.fact_fingerprints", "builds.customer_keys"),
    *("intermediate.int_review_periods", "intermediate.int_rfm_score_edges"),
    *("intermediate.int_score_inputs", "marts.customer_periods"),
)


def build_rfm_alone(warehouse: Path) -> None:
    """As a user does, from the sample's raw tables; its unit tests run with those of all models."""
    project_vars = {"run_date": "2026-01-31", "raw_path": str(PROJECT / "sample")}
    dbt(
        warehouse,
        *("build", "--select", "+customer_rfm", "--exclude-resource-type", "unit_test"),
        *("--vars", json.dumps(project_vars)),
        parsed=parsed_project(),
    )


def rows(warehouse: Path, *tables: str) -> dict[str, list[tuple]]:
    """All rows of tables of a work database."""
    with duckdb.connect(str(warehouse / "work.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return {
            table: connection.execute(f"from {table} order by all").fetchall() for table in tables
        }


def steps_of_rfm_alone() -> set[str]:
    """The steps that customer_rfm is made of."""
    nodes, parents = manifest()["nodes"], manifest()["parent_map"]
    needed, found = set(), ["model.customer_tiering.customer_rfm"]
    while found:
        node = found.pop()
        if node not in needed:
            needed.add(node)
            found += parents.get(node, [])
    paths = (Path(nodes[node]["original_file_path"]).parts for node in needed & nodes.keys())
    return {parts[2] for parts in paths if parts[:2] == ("models", "intermediate")}


def test_rfm_alone_computes_neither_periods_nor_scores():
    assert steps_of_rfm_alone() == {"identity", "orders", "gate", "money", "ledger", "rfm"}


@pytest.fixture(scope="module")
def work(sample_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with the work database of the sample's refresh alone."""
    warehouse = tmp_path_factory.mktemp("work")
    shutil.copy(sample_warehouse / "work.duckdb", warehouse)
    return warehouse


def test_into_an_empty_warehouse_come_the_same_rows_and_nothing_to_go_on_from(
    work: Path, tmp_path: Path
) -> None:
    build_rfm_alone(tmp_path)
    whole, alone = (rows(folder, "marts.customer_rfm") for folder in (work, tmp_path))
    assert len(whole["marts.customer_rfm"]) > 1000
    assert alone == whole
    ((_, _, is_complete, as_of_date, *_),) = rows(tmp_path, "builds.last_build")[
        "builds.last_build"
    ]
    assert (is_complete, as_of_date) == (False, None)


def test_after_a_whole_build_all_stays_that_the_next_one_goes_on_from(work: Path) -> None:
    before = rows(work, "marts.customer_rfm", *GONE_ON_FROM)
    assert all(before.values())
    ((_, _, is_complete, *_),) = before["builds.last_build"]
    assert is_complete
    build_rfm_alone(work)
    assert rows(work, "marts.customer_rfm", *GONE_ON_FROM) == before
