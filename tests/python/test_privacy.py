"""Personal data: none in what everybody may read, and none of a person who was erased."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject

SAMPLE = PROJECT / "sample"
CANARY = "canary"
# All of them were born on this day, which occurs nowhere else.
BORN_ON = "1931-07-19"


@pytest.fixture(scope="module")
def raw_with_canaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample company, each value of a raw column with personal data replaced by a canary."""
    folder = tmp_path_factory.mktemp("raw")
    for entry in SAMPLE.iterdir():
        if entry.name != "customers.csv":
            (folder / entry.name).symlink_to(entry)
    with (SAMPLE / "customers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        for name in ("full_name", "email", "phone", "postal_code"):
            row[name] = f"{CANARY} {name} {number}"
        row["birth_date"] = BORN_ON if number % 10 else f"{CANARY}, not a date"
    with (folder / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def holding_canaries(
    connection: duckdb.DuckDBPyConnection, relations: Iterable[str]
) -> dict[str, int]:
    """The rows with a canary in any value, of the relations that have some."""
    found = {}
    for relation in relations:
        (rows,) = connection.execute(
            f"select count(*) from {relation} as whole_row "
            f"where contains(lower(cast(whole_row as varchar)), '{CANARY}') "
            f"or contains(cast(whole_row as varchar), '{BORN_ON}')"
        ).fetchone()
        if rows:
            found[relation] = rows
    return found


def test_no_value_of_a_public_mart_holds_personal_data(
    raw_with_canaries: Path, compiled: Callable[..., CompiledProject]
) -> None:
    project = compiled(run_date="2026-01-31")
    models = {model.name: model for model in project.models}
    with project.build(raw_with_canaries) as connection:
        public = {m.relation for m in models.values() if m.schema in ("marts", "quality")}
        assert holding_canaries(connection, public) == {}
        restricted = {m.relation for m in models.values() if m.schema == "restricted"}
        assert set(holding_canaries(connection, restricted)) == restricted
        assert connection.execute(
            "select count(*) from quality.rejected_records where column_name = 'birth_date'"
        ).fetchone()[0]  # bad ones are listed, without the value

        # the scan sees a leak, of a text or a date
        for name, before, after in [
            ("customers", "customers.city,", "upper(customers.email) as city,"),
            ("customers", "customers.signed_up_on,", "customers.birth_date as signed_up_on,"),
            ("rejected_records", "raw_record\n", "raw_record_restricted as raw_record\n"),
        ]:
            sql = models[name].sql
            assert before in sql
            connection.execute(f"create or replace table leak as ({sql.replace(before, after)}\n)")
            assert holding_canaries(connection, ["leak"]) != {}, after
