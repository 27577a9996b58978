"""Raw tables as an inspection reads them: from files however they are written, from a schema, or by a mapping."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering.errors import SourceError
from customer_tiering.mappings import PLACE, MappingFolder, check_mapping
from customer_tiering.messages import without_values
from customer_tiering.onboarding.findings import Finding, line_of_file
from customer_tiering.onboarding.rendering import Models
from customer_tiering.onboarding.sniffing import Sniffed, query_of_files, sniff
from customer_tiering.postgres import connected
from customer_tiering.quoting import identifier, literal
from customer_tiering.sources import (
    check_contents,
    check_folder,
    check_raw_folder,
    contract_columns,
    contract_tables,
    faults_of_header,
    faults_of_names,
    format_of,
    table_files,
)

SCHEMA = re.compile(r"(.+\.(?:duckdb|db)):(\w+)")
POSTGRES_SCHEMA = re.compile(r"postgres:(\w+)")


@dataclass
class Landed:
    """A raw table as it was read: the names of its columns as they stand there, and why it could not be."""

    present: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def is_in_contract(folder: Path, project: Path) -> bool:
    """Whether a folder has a required table of the raw contract, by its name and by half of its required columns. A schema is.

    Raises SourceError when there is no such folder.
    """
    if SCHEMA.fullmatch(str(folder)) or POSTGRES_SCHEMA.fullmatch(str(folder)):
        return True
    check_folder(folder)
    for name, columns in contract_columns(project).items():
        required = {column for column, is_required in columns.items() if is_required}
        if contract_tables(project)[name]:
            for file in [*table_files(folder, {name: True})][:1]:
                with suppress(SourceError):
                    header = {column.lower() for column in sniff(file).columns}
                    if 2 * len(required & header) >= len(required):
                        return True
    return False


def is_required(declared: Mapping[str, Any]) -> bool:
    return bool(declared["config"]["meta"].get("required"))


def land(models: Models, table: Mapping[str, Any], folder: Path) -> Landed:
    """Read a table of a folder, whatever is wrong with how its files are written."""
    name, landed = table["name"], Landed()
    try:
        check_raw_folder(folder, {name: is_required(table)})
        files = list(table_files(folder, {name: True}))
    except SourceError as error:
        landed.findings.append(Finding(name, "unreadable_file", str(error), 0, 0, stops=True))
        files = []
    declared = {column: is_required(one) for column, one in table["columns"].items()}
    written: dict[Path, Sniffed] = {}
    for file in files:
        faults = [f"raw file {file}{fault}" for fault in faults_of_header(file, declared)]
        if faults and format_of(file) == "csv":
            try:
                written[file] = sniff(file)
            except SourceError as error:
                faults = [str(error)]
        for fault in faults:
            line = line_of_file(name, file, folder, written.get(file))
            landed.findings.append(
                Finding(name, "file_at_fault", fault, 0, 0, stops=True, line=line)
            )
    try:
        forms = {
            file: written.get(file, Sniffed([], format_of(file) == "parquet")) for file in files
        }
        _make_raw(models, table, query_of_files(forms), landed)
    except (duckdb.Error, OSError, ValueError) as error:
        landed.findings.append(
            Finding(name, "unreadable_file", _fault_of_content(folder, name, error), 0, 0, True)
        )
        _make_raw(models, table, "", landed)
    return landed


def _fault_of_content(folder: Path, name: str, error: Exception) -> str:
    try:
        check_contents(folder, {name: True})
    except SourceError as fault:
        return str(fault)
    return f"raw table {name}: found content that cannot be read ({' '.join(without_values(str(error)).split())})"


def land_schema(models: Models, file: str, schema: str) -> dict[str, Landed]:
    """Read the tables of a schema of a DuckDB file, as they are."""
    connection = models.connection
    try:
        connection.execute(f"attach {literal(file)} as source (read_only)")
    except duckdb.Error:
        raise SourceError(file, "no DuckDB file that can be read", "FILE.duckdb:SCHEMA") from None
    tables = {
        name.lower(): f"source.{identifier(schema_name)}.{identifier(name)}"
        for schema_name, name in connection.execute(
            "select table_schema, table_name from information_schema.tables "
            f"where table_catalog = 'source' and lower(table_schema) = {literal(schema.lower())}"
        ).fetchall()
    }
    if not tables:
        raise SourceError(file, f"no table in a schema {schema}", "FILE.duckdb:SCHEMA")
    found = {}
    for table in models.raw_tables:
        name, landed = table["name"], Landed()
        found[name] = landed
        where = f"raw table {schema}.{name}"
        _make_raw(models, table, tables.get(name, ""), landed)
        if name in tables:
            declared = {column: is_required(one) for column, one in table["columns"].items()}
            faults = faults_of_names([*landed.present, *landed.extra], declared)
        else:
            faults = iter([" is missing; it is required."] if is_required(table) else [])
        landed.findings += [
            Finding(name, "unreadable_table", f"{where}{fault}", 0, 0, True) for fault in faults
        ]
    return found


def land_postgres_schema(models: Models, schema: str, file: Path) -> dict[str, Landed]:
    """Read the tables of a schema of the PostgreSQL database that the environment names, through a copy in a DuckDB file."""
    names = {table["name"] for table in models.raw_tables}
    with connected() as connection:
        module = importlib.import_module("customer_tiering.postgres_publishing")  # needs psycopg2
        module.Database(connection).copy_schema(schema, names, file)
    return land_schema(models, str(file), schema)


def land_mapped(
    models: Models, project: Path, folder: Path, mapping: MappingFolder
) -> dict[str, Landed]:
    queries = check_mapping(models.connection, mapping, folder, project)
    found = {}
    for table in models.raw_tables:
        found[table["name"]] = Landed()
        _make_raw(models, table, queries.get(table["name"], ""), found[table["name"]], "table")
    return found


def _make_raw(
    models: Models, table: Mapping[str, Any], query: str, landed: Landed, kind: str = ""
) -> None:
    """Make raw.TABLE of a query as the landing does: columns that are not there are NULL.

    Text is read once into a table; what has types stays where it is, but for a `kind`.
    """
    name = table["name"]
    described = {}
    if query:
        rows = models.connection.execute(f"describe select * from {query}").fetchall()
        described = {column: data_type for column, data_type, *_ in rows}
    landed.present = {
        column.lower(): column for column in described if column.lower() in table["columns"]
    }
    known = {*table["columns"], *PLACE}
    landed.extra = [column for column in described if column.lower() not in known]
    is_text = all(data_type == "VARCHAR" for data_type in described.values())
    values = []
    for column, declared in table["columns"].items():
        value = f"cast(null as {'varchar' if is_text else declared['data_type']})"
        if column in landed.present:
            value = identifier(landed.present[column])
            if declared["config"]["meta"].get("customer_id"):
                value = f"marked_id({value})"
        values.append(f"{value} as {identifier(column)}")
    kind = kind or ("table" if is_text and query else "view")
    source = f"from {query} as raw_rows" if query else "where false"
    models.connection.execute(
        f"create or replace {kind} raw.{name} as select {', '.join(values)} {source}"
    )
