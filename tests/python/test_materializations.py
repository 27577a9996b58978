"""Tables and views take the place of those of their name; what fails leaves those that were there."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from dbt_in_process import dbt
from made_once import PROJECT

MATERIALIZATIONS = PROJECT / "macros/engines/duckdb/materializations.sql"
CONTRACT = """
models:
  - name: numbers
    config: {contract: {enforced: true}}
    columns: [{name: n, data_type: integer}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one model, of which a view is made."""
    for folder in ("macros", "models", "profiles"):
        (tmp_path / folder).mkdir()
    shutil.copy(MATERIALIZATIONS, tmp_path / "macros")
    shutil.copy(PROJECT / "profiles/profiles.yml", tmp_path / "profiles")
    (tmp_path / "dbt_project.yml").write_text(
        "{name: numbers, profile: customer_tiering}", encoding="utf-8"
    )
    (tmp_path / "models/twice.sql").write_text(
        "{{ config(materialized='view') }} select 2 * n as n from {{ ref('numbers') }}",
        encoding="utf-8",
    )
    # the plug-in is for the project's own process
    profile = (tmp_path / "profiles/profiles.yml").read_text(encoding="utf-8")
    lines = [line for line in profile.splitlines() if "plugin" not in line]
    (tmp_path / "profiles/profiles.yml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def build(project: Path, materialized: str, value: str) -> None:
    (project / "models/numbers.sql").write_text(
        f"{{{{ config(materialized='{materialized}') }}}} select cast('{value}' as integer) as n",
        encoding="utf-8",
    )
    dbt(project, "run", project=project)


def found(project: Path) -> dict[str, int]:
    """The relations that are there, and what is in them."""
    with duckdb.connect(str(project / "work.duckdb")) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables order by all"
        ).fetchall()
        return {name: connection.execute(f"from {name}").fetchone()[0] for (name,) in names}


@pytest.mark.parametrize("schema", ["", CONTRACT], ids=["plain", "contract"])
def test_a_table_that_fails_leaves_its_last_rows(project: Path, schema: str) -> None:
    if schema:
        (project / "models/numbers.yml").write_text(schema, encoding="utf-8")
    build(project, "table", "1")
    build(project, "table", "2")
    assert found(project) == {"numbers": 2, "twice": 4}
    with pytest.raises(RuntimeError, match="INT32"):
        build(project, "table", "three")
    assert found(project) == {"numbers": 2, "twice": 4}


def test_tables_and_views_take_each_others_place(project: Path) -> None:
    for materialized, value in (("view", 1), ("table", 2), ("view", 3), ("view", 4), ("table", 5)):
        build(project, materialized, str(value))
        assert found(project) == {"numbers": value, "twice": 2 * value}


@pytest.mark.parametrize("materialized", ["view", "table"])
def test_a_contract_is_held_to(project: Path, materialized: str) -> None:
    text = CONTRACT.replace("integer", "varchar")
    (project / "models/numbers.yml").write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeError, match="contract"):
        build(project, materialized, "1")
    assert found(project) == {}
