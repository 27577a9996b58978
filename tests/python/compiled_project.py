"""The models without dbt's own start-up: compiled once by dbt, then run as often as a test needs.

``compile_project`` has dbt render every model for some vars. ``CompiledProject.build`` runs exactly
that SQL, in dbt's order, in a new in-memory DuckDB over raw tables given as text. A full `dbt build`
takes half a minute, this a second or two, so that hundreds of made-up companies can be tried.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parents[2]
# Compiled in as the as_of_date and replaced by the one that a build wants.
ANY_DATE = "1999-12-31"
ROWS_AT_ONCE = 100

RawTables = Mapping[str, Sequence[Mapping[str, str | None]]]


@dataclass(frozen=True)
class Model:
    """A compiled model: the relation that it makes, how, and its SQL."""

    name: str
    relation: str
    schema: str
    is_view: bool
    sql: str


@dataclass(frozen=True)
class CompiledProject:
    """All models in the order in which they build, and what they read."""

    models: tuple[Model, ...]
    raw_columns: dict[str, list[str]]
    seeds: dict[str, tuple[str, dict[str, str]]]
    has_any_date: bool

    def build(
        self,
        raw: RawTables | Path,
        as_of_date: str | None = None,
        seeds: Mapping[str, list[dict[str, str]]] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """Run all models over raw tables, or over a folder of Parquet or CSV files a table.

        ``as_of_date`` is for a project compiled with ``as_of_date=ANY_DATE``. ``seeds`` replaces
        the rows of the named seeds.
        """
        if (as_of_date is not None) != self.has_any_date:
            raise ValueError(
                "as_of_date goes with a project compiled for ANY_DATE, and only with it"
            )
        connection = duckdb.connect()
        connection.execute("attach ':memory:' as work")
        connection.execute("use work")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        for schema in {"raw", "rules", *(model.schema for model in self.models)}:
            connection.execute(f"create schema if not exists {schema}")
        _begin_builds(connection)
        self._land(connection, raw)
        self._load_seeds(connection, seeds or {})
        for model in self.models:
            sql = model.sql.replace(ANY_DATE, as_of_date) if as_of_date else model.sql
            kind = "view" if model.is_view else "table"
            connection.execute(f"create {kind} {model.relation} as ({sql}\n)")
        return connection

    def with_text(self, replacements: Mapping[str, str]) -> CompiledProject:
        """The same project with texts of its SQL replaced, such as a number compiled in for a var."""
        models = []
        for model in self.models:
            sql = model.sql
            for old, new in replacements.items():
                sql = sql.replace(old, new)
            models.append(replace(model, sql=sql))
        return replace(self, models=tuple(models))

    def _land(self, connection: duckdb.DuckDBPyConnection, raw: RawTables | Path) -> None:
        for table, columns in self.raw_columns.items():
            if isinstance(raw, Path):
                connection.execute(_landing_sql(connection, raw, table, columns))
                continue
            connection.execute(
                f"create table raw.{table} ({', '.join(f'{name} varchar' for name in columns)})"
            )
            rows = [[row.get(name) for name in columns] for row in raw.get(table, [])]
            _insert(connection, f"raw.{table}", rows)

    def _load_seeds(
        self, connection: duckdb.DuckDBPyConnection, replaced: Mapping[str, list[dict[str, str]]]
    ) -> None:
        for name, (path, types) in self.seeds.items():
            columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
            connection.execute(f"create table rules.{name} ({columns})")
            rows = replaced.get(name)
            if rows is None:
                with open(PROJECT / path, encoding="utf-8", newline="") as file:
                    rows = list(csv.DictReader(file))
            values = [[row[column] or None for column in types] for row in rows]
            _insert(connection, f"rules.{name}", values)


def compile_project(folder: Path, **project_vars: object) -> CompiledProject:
    """Have dbt compile the project for some vars; what dbt writes goes to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw").mkdir(exist_ok=True)
    for table, columns in {
        "customers": "customer_id",
        "orders": "order_id,ordered_at,status,order_amount",
    }.items():
        (folder / "raw" / f"{table}.csv").write_text(columns + "\n", encoding="utf-8")
    project_vars = {"run_date": "2026-01-31", **project_vars, "raw_path": str(folder / "raw")}
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "compile"),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "profiles")),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
            *("--vars", json.dumps(project_vars)),
            *("--select", "resource_type:model"),
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "TIERING_WAREHOUSE": str(folder),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise RuntimeError(
            f"dbt compile failed:\n{finished.stdout[-4000:]}{finished.stderr[-2000:]}"
        )
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    return CompiledProject(
        models=tuple(_models(manifest)),
        raw_columns={
            source["identifier"]: list(source["columns"])
            for source in manifest["sources"].values()
            if source["schema"] == "raw"
        },
        seeds={
            node["alias"]: (node["original_file_path"], node["config"]["column_types"])
            for node in manifest["nodes"].values()
            if node["resource_type"] == "seed"
        },
        has_any_date=project_vars.get("as_of_date") == ANY_DATE,
    )


def _models(manifest: dict) -> list[Model]:
    """Every model but those that read the snapshot, which keeps what was published before."""
    nodes = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and not any(parent.startswith("snapshot.") for parent in node["depends_on"]["nodes"])
    }
    order = TopologicalSorter(
        {
            unique_id: [parent for parent in node["depends_on"]["nodes"] if parent in nodes]
            for unique_id, node in nodes.items()
        }
    ).static_order()
    return [
        Model(
            name=nodes[unique_id]["name"],
            relation=nodes[unique_id]["relation_name"],
            schema=nodes[unique_id]["schema"],
            is_view=nodes[unique_id]["config"]["materialized"] == "view",
            sql=nodes[unique_id]["compiled_code"],
        )
        for unique_id in order
    ]


def _begin_builds(connection: duckdb.DuckDBPyConnection) -> None:
    """The state of builds before the first one: nothing to go on from."""
    for statement in (
        "create schema if not exists builds",
        "create table builds.last_build (as_of_date date)",
        "create table builds.fact_fingerprints "
        "(fact_table varchar, known_on date, fingerprint decimal(38, 0))",
        "create table builds.customer_keys (resolved_customer_id varchar, customer_key integer)",
    ):
        connection.execute(statement)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[str | None]]
) -> None:
    """Insert rows, many at once: one by one takes longer than all models together."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in some)
        values = [value for row in some for value in row]
        connection.execute(f"insert into {table} values {marks}", values)


def _landing_sql(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: str, columns: list[str]
) -> str:
    """Land a table of a folder as dbt's own landing does: Parquet in its types, CSV as text."""
    files = [
        str(file)
        for pattern in (f"{table}.parquet", f"{table}.csv", f"{table}/*.parquet", f"{table}/*.csv")
        for file in sorted(folder.glob(pattern))
    ]
    if not files:
        names = ", ".join(f"cast(null as varchar) as {name}" for name in columns)
        return f"create table raw.{table} as select {names} where false"
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    reader = (
        f"read_parquet([{listed}], union_by_name = true)"
        if files[0].endswith(".parquet")
        else f"read_csv([{listed}], all_varchar = true, header = true, delim = ',', quote = '\"', "
        "escape = '\"', comment = '', skip = 0, union_by_name = true)"
    )
    present = {row[0] for row in connection.execute(f"describe select * from {reader}").fetchall()}
    names = ", ".join(
        name if name in present else f"cast(null as varchar) as {name}" for name in columns
    )
    return f"create table raw.{table} as select {names} from {reader}"
