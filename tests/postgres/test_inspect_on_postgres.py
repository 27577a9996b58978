"""`tiering inspect postgres:SCHEMA` says what it says of the same rows in files."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from companies import small_company
from made_once import PROJECT
from postgres_server import PostgresServer
from raw_schema import copy_raw_tables

from customer_tiering.configuration import load_configuration
from customer_tiering.errors import SourceError
from customer_tiering.onboarding.inspecting import Inspection, inspect


def test_a_schema_is_inspected_as_its_rows_in_files_are(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company with every kind of fault, all of it text, as CSV is."""
    raw = tmp_path / "raw"
    small_company(raw)
    server.create_database("inspected")
    for name, value in server.environment("inspected").items():
        monkeypatch.setenv(name, value)
    with closing(server.connect("inspected")) as connection:
        copy_raw_tables(raw, "shop", connection)
    configuration = load_configuration(PROJECT, {"run_date": "2026-01-31"})

    def inspected(place: Path) -> Inspection:
        return inspect(place, PROJECT, configuration)

    from_files, from_schema = inspected(raw), inspected(Path("postgres:shop"))
    assert len(from_files.findings) > 5
    assert asdict(from_schema) | {"notes": []} == asdict(from_files) | {"notes": []}
    with pytest.raises(
        SourceError, match="no table of the raw contract in a schema nowhere; allowed"
    ):
        inspected(Path("postgres:nowhere"))
