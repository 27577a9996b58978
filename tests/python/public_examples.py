"""The raw tables that the examples' mappings make of public files."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from made_once import PROJECT

from customer_tiering.errors import SourceError
from customer_tiering.mappings import check_mapping, files_of, load_mapping
from customer_tiering.reading import connect
from customer_tiering.sample.bank import generate, write

DATA = Path(os.environ.get("TIERING_DATA", PROJECT.parent / "shared" / "data"))
EXAMPLES = PROJECT / "examples"


def public_folder(name: str) -> Path:
    """The folder with the example's public files; skips the test when they are not there."""
    mapping = load_mapping(EXAMPLES / name, PROJECT)
    for folder in sorted(DATA.glob(f"{name}*")):
        with suppress(SourceError):
            files_of(mapping, folder)
            return folder.resolve()
    pytest.skip(f"no files of {name} below {DATA}: set TIERING_DATA to the public data")


def bank_folder(folder: Path, clients: int = 400) -> Path:
    """The made-up bank's files, in a folder."""
    write(folder, generate(clients=clients))
    return folder


def without_cancellations(folder: Path) -> Path:
    """The mapping of Online Retail with the other choice, in a folder that is made."""
    shutil.copytree(EXAMPLES / "online_retail", folder)
    choices = folder / "choices.sql"
    choices.write_text(choices.read_text("utf-8").replace("select true", "select false"), "utf-8")
    return folder


def mapped(
    mapping_folder: Path, data: Path, steps: tuple[str, ...] = ()
) -> duckdb.DuckDBPyConnection:
    """A database with the raw tables of a mapping, its sources as views, and some of its steps, each behind what it reads."""
    mapping = load_mapping(mapping_folder, PROJECT)
    connection = connect()
    for table, query in check_mapping(connection, mapping, data, PROJECT).items():
        connection.execute(f'create table "{table}" as select * from {query}')
    for source, (file, *_) in files_of(mapping, data).items():
        if file.suffix == ".csv":
            connection.read_csv(str(file), all_varchar=True).create_view(source)
        else:
            connection.read_parquet(str(file)).create_view(source)
    for step in steps:
        connection.execute(f'create table "{step}" as {mapping.sql[step]}')
    return connection


def write_raw(mapping_folder: Path, data: Path, out: Path) -> Path:
    """The raw tables of a mapping as Parquet files, in a folder that is made."""
    out.mkdir()
    with mapped(mapping_folder, data) as connection:
        for table in load_mapping(mapping_folder, PROJECT).tables:
            connection.table(table).write_parquet(str(out / f"{table}.parquet"))
    return out
