"""The models without dbt's own start-up: compiled once by dbt, then run as often as a test needs.

``compile_project`` gives every model as dbt renders it for some vars. ``CompiledProject.build`` runs exactly
that SQL, in dbt's order, in a new in-memory DuckDB over raw tables given as text. A full `dbt build`
takes half a minute, this a second or two, so that hundreds of made-up companies can be tried.
``CompiledProject.build_again`` goes on from such a build, as a scheduled one does from the last.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
from dbt_in_process import compiled_code, manifest
from jinja2 import Environment
from made_once import DBT_FILES, PROJECT, made_once

# Compiled in as the as_of_date and replaced by the one that a build wants.
ANY_DATE = "1999-12-31"

START_FILES = (*DBT_FILES, "tests/python/compiled_project.py")

RawTables = Mapping[str, Sequence[Mapping[str, str | None]]]


@dataclass(frozen=True)
class Model:
    """A compiled model: the relation that it makes, how, and its SQL."""

    name: str
    relation: str
    schema: str
    is_view: bool
    sql: str
    # What an incremental model runs before it computes anew, the column of its periods, if it has any, and the SQL that
    # computes; all are empty for other models, the SQL also where it has not been compiled.
    hook: str = ""
    period_column: str = ""
    sql_to_append: str = ""


@dataclass(frozen=True)
class CompiledProject:
    """All models in the order in which they build, and what they read."""

    models: tuple[Model, ...]
    raw_columns: dict[str, list[str]]
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
        connection = self._connect(seeds)
        self.land(connection, raw)
        self.run(connection, as_of_date)
        return connection

    def build_landed(
        self, work: Path, seeds: Mapping[str, list[dict[str, str]]] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Run all models over raw tables as dbt has landed them in a database; see ``build`` for ``seeds``."""
        connection = self._connect(seeds)
        connection.execute(f"attach '{work}' as landed (read_only)")
        for table in self.raw_columns:
            connection.execute(f"create table raw.{table} as from landed.raw.{table}")
        self.run(connection)
        return connection

    def _connect(
        self, seeds: Mapping[str, list[dict[str, str]]] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection to a new database in memory, in which a first build begins."""
        connection = duckdb.connect()
        connection.execute("attach ':memory:' as work")
        connection.execute("use work")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set threads = 1")  # a small company is not worth sharing out
        self.begin(connection, seeds)
        return connection

    def build_again(
        self,
        connection: duckdb.DuckDBPyConnection,
        raw: RawTables | Path,
        as_of_date: str | None = None,
    ) -> None:
        """Go on from the build on a connection with what the raw tables are now.

        Incremental models keep the periods of which nothing new is known; they must have been
        compiled as such.
        """
        end_build(connection)
        self.land(connection, raw)
        self.run(connection, as_of_date, goes_on=True)

    def begin(
        self,
        connection: duckdb.DuckDBPyConnection,
        seeds: Mapping[str, list[dict[str, str]]] | None = None,
    ) -> None:
        """Make schemas, the reading functions, the state before the first build, and seeds."""
        # A copy takes a tenth of the time in which the functions are read.
        connection.execute(f"attach '{_start()}' as start (read_only)")
        (work,) = connection.execute("select current_database()").fetchone()
        connection.execute(f"copy from database start to {work}")
        connection.execute("detach start")
        for name, rows in (seeds or {}).items():
            connection.execute(f"delete from rules.{name}")
            _insert_seed(connection, name, rows)

    def run(
        self,
        connection: duckdb.DuckDBPyConnection,
        as_of_date: str | None = None,
        goes_on: bool = False,
        after: Callable[[int], None] = lambda _number: None,
    ) -> None:
        """Run all models, which go on from what is there or make it; ``after`` hears how many have run."""
        for number, model in enumerate(self._as_of(as_of_date).models, start=1):
            if goes_on and model.hook and _is_there(connection, model):
                _append(connection, model)
            else:
                _create(connection, model)
            after(number)

    def only(self, *names: str) -> CompiledProject:
        """The project with these models alone, and what they are made of."""
        nodes = manifest()["nodes"]
        wanted, found = set(), [f"model.customer_tiering.{name}" for name in names]
        while found:
            node = found.pop()
            if node in nodes and node not in wanted:
                wanted.add(node)
                found += nodes[node]["depends_on"].get("nodes", [])
        relations = {nodes[node]["relation_name"] for node in wanted}
        return replace(self, models=tuple(m for m in self.models if m.relation in relations))

    def changed_since(self, before: CompiledProject) -> CompiledProject:
        """The project with the models alone whose SQL is another one, and what is made of them."""
        nodes = manifest()["nodes"]
        parents = {
            node["relation_name"]: {
                nodes[parent]["relation_name"]
                for parent in node["depends_on"]["nodes"]
                if parent in nodes
            }
            for node in nodes.values()
            if node["resource_type"] == "model"
        }
        changed: dict[str, Model] = {}
        for model, other in zip(self.models, before.models, strict=True):
            if model != other or parents[model.relation] & changed.keys():
                changed[model.relation] = model
        return replace(self, models=tuple(changed.values()))

    def with_text(self, replacements: Mapping[str, str]) -> CompiledProject:
        """The same project with texts of its SQL replaced, such as a number compiled in for a var."""

        def replaced(sql: str) -> str:
            for old, new in replacements.items():
                sql = sql.replace(old, new)
            return sql

        models = tuple(
            replace(model, sql=replaced(model.sql), sql_to_append=replaced(model.sql_to_append))
            for model in self.models
        )
        return replace(self, models=models)

    def _as_of(self, as_of_date: str | None) -> CompiledProject:
        if (as_of_date is not None) != self.has_any_date:
            raise ValueError(
                "as_of_date goes with a project compiled for ANY_DATE, and only with it"
            )
        return self.with_text({ANY_DATE: as_of_date}) if as_of_date else self

    def land(self, connection: duckdb.DuckDBPyConnection, raw: RawTables | Path) -> None:
        for table, columns in self.raw_columns.items():
            if isinstance(raw, Path):
                connection.execute(_landing_sql(connection, raw, table, columns))
                continue
            connection.execute(
                f"create or replace table raw.{table} "
                f"({', '.join(f'{name} varchar' for name in columns)})"
            )
            rows = [[row.get(name) for name in columns] for row in raw.get(table, [])]
            _insert(connection, f"raw.{table}", rows)


def compile_project(
    *, is_incremental: bool = False, has_views: bool = False, **project_vars: object
) -> CompiledProject:
    """The project's models as dbt compiles them for some vars.

    ``is_incremental`` compiles, beside the SQL that makes them, also that by which models go on from
    what is there. Unless it ``has_views``, views are written out as tables: a text that each of its
    readers plans anew takes most of the time of a small company.
    """
    project_vars = {"run_date": "2026-01-31", **project_vars}
    code = compiled_code(project_vars)
    to_append = compiled_code(project_vars, goes_on=True) if is_incremental else {}
    return CompiledProject(
        models=tuple(_models(code, to_append, has_views)),
        raw_columns={
            source["identifier"]: list(source["columns"])
            for source in manifest()["sources"].values()
            if source["schema"] == "raw"
        },
        has_any_date=project_vars.get("as_of_date") == ANY_DATE,
    )


def _models(
    code: Mapping[str, str], to_append: Mapping[str, str], has_views: bool
) -> Iterator[Model]:
    """Every model but those that read the snapshot, which keeps what was published before."""
    nodes = {
        unique_id: node
        for unique_id, node in manifest()["nodes"].items()
        if node["resource_type"] == "model"
        and not any(parent.startswith("snapshot.") for parent in node["depends_on"]["nodes"])
    }
    order = TopologicalSorter(
        {
            unique_id: [parent for parent in node["depends_on"]["nodes"] if parent in nodes]
            for unique_id, node in nodes.items()
        }
    ).static_order()
    for unique_id in order:
        node = nodes[unique_id]
        yield Model(
            name=node["name"],
            relation=node["relation_name"],
            schema=node["schema"],
            is_view=has_views and node["config"]["materialized"] == "view",
            sql=code[node["relation_name"]],
            hook=_hook(node, nodes),
            period_column=_period_column(node["config"]),
            sql_to_append=to_append.get(node["relation_name"], ""),
        )


def _hook(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """What an incremental model runs before it computes anew."""
    if node["config"]["materialized"] != "incremental":
        return ""
    (hook,) = node["config"]["pre-hook"]
    paths = sorted((PROJECT / "macros/builds").glob("delete_*.sql"))
    text = "".join(path.read_text(encoding="utf-8") for path in paths) + hook["sql"]
    template = Environment().from_string(text.replace("customer_tiering.", ""))
    return template.render(
        is_incremental=lambda: True,
        ref=lambda name: nodes[f"model.customer_tiering.{name}"]["relation_name"],
        this=node["relation_name"],
    ).strip()


def _period_column(config: Mapping[str, Any]) -> str:
    """Which column an incremental model's hook compares with the periods that are kept; empty when it is not by period."""
    for hook in config["pre-hook"]:
        for column in re.findall(r"delete_periods_to_compute\((.*?)\)", hook["sql"]):
            return column.strip("'") or "period_index"
    return ""


def _start() -> Path:
    """A database with what all builds begin with: schemas, functions, and seeds as they are shipped."""

    def make(folder: Path) -> None:
        with duckdb.connect() as connection:
            # The reading functions need a file of 1.4 or newer.
            connection.execute(
                f"attach '{folder}/start.duckdb' as start (storage_version 'latest')"
            )
            connection.execute("use start")
            nodes = manifest()["nodes"].values()
            for schema in {"raw", "rules", "builds", *(node["schema"] for node in nodes)}:
                connection.execute(f"create schema if not exists {schema}")
            connection.execute(reading_functions())
            begin_builds(connection)
            for name, types, rows in shipped_seeds():
                columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
                connection.execute(f"create table rules.{name} ({columns})")
                _insert_seed(connection, name, rows)

    return made_once("start", "start", START_FILES, make) / "start.duckdb"


def shipped_seeds() -> Iterator[tuple[str, dict[str, str], list[dict[str, str]]]]:
    """Every seed: its name, the types of its columns, and its rows."""
    for node in manifest()["nodes"].values():
        if node["resource_type"] == "seed":
            path = PROJECT / node["original_file_path"]
            with path.open(encoding="utf-8", newline="") as file:
                yield node["alias"], node["config"]["column_types"], list(csv.DictReader(file))


def _insert_seed(
    connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, str]]
) -> None:
    described = connection.execute(f"describe rules.{name}").fetchall()
    columns = [row[0] for row in described]
    _insert(
        connection, f"rules.{name}", [[row[column] or None for column in columns] for row in rows]
    )


def _create(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    kind = "view" if model.is_view else "table"
    connection.execute(f"create schema if not exists {_name_of(model)[0]}")
    connection.execute(f"create or replace {kind} {model.relation} as ({model.sql}\n)")


def _name_of(model: Model) -> list[str]:
    """Schema and table of what a model makes."""
    return [part.strip('"') for part in model.relation.split(".")[-2:]]


def _is_there(connection: duckdb.DuckDBPyConnection, model: Model) -> bool:
    """Whether a model's table has been made; a refresh takes away published history before landing carries it over."""
    schema, table = _name_of(model)
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = $1 and table_name = $2",
            [schema, table],
        ).fetchone()
    )


def _append(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    if not model.sql_to_append:
        raise ValueError("going on goes with a project compiled to be incremental")
    connection.execute(model.hook)
    connection.execute(f"insert into {model.relation} by name ({model.sql_to_append}\n)")


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence]) -> None:
    """Many rows a statement, which is faster than one each."""
    for start in range(0, len(rows), 100):
        some = rows[start : start + 100]
        marks = f"({', '.join('?' for _ in some[0])})"
        connection.execute(
            f"insert into {table} values {', '.join(marks for _ in some)}",
            [value for row in some for value in row],
        )


def reading_functions(engine: str = "duckdb") -> str:
    """The statements that make the functions by which models read raw values."""
    return rendered_macro(
        f"macros/engines/{engine}/reading_functions.sql", f"{engine}__reading_functions()"
    )


def rendered_macro(file: str, call: str) -> str:
    """What a macro gives that needs none of another file, nor dbt."""
    macros = (PROJECT / file).read_text(encoding="utf-8").replace("customer_tiering.", "")
    return (
        Environment(extensions=["jinja2.ext.do"]).from_string(f"{macros}{{{{ {call} }}}}").render()
    )


def begin_builds(connection: duckdb.DuckDBPyConnection) -> None:
    """The state of builds before the first one: nothing to go on from."""
    for statement in (
        "create schema if not exists builds",
        "create table builds.last_build as select cast(null as varchar) as basis, "
        "false as is_complete, cast(null as date) as as_of_date, cast(null as integer) as periods, "
        "cast(null as integer) as periods_kept",
        "create table builds.fact_fingerprints "
        "(fact_table varchar, known_on date, fingerprint decimal(38, 0))",
        "create table builds.ledger_fingerprints (customer_key integer, fingerprint decimal(38, 0))",
        "create table builds.customer_keys (resolved_customer_id varchar, customer_key integer)",
        "create table builds.published_counts (source_table varchar, rows_in bigint, rows_rejected bigint, "
        "rows_undecided bigint, rows_of_known_customers bigint, rows_of_unknown_customers bigint, "
        "rows_of_guests bigint)",
    ):
        connection.execute(statement)


def end_build(connection: duckdb.DuckDBPyConnection) -> None:
    """Notes what the next build may go on from, as macros/builds/end_build.sql does."""
    for statement in (
        "create or replace table builds.fact_fingerprints as "
        "select * from intermediate.int_fact_fingerprints",
        "create or replace table builds.ledger_fingerprints as "
        "select * from intermediate.int_ledger_fingerprints",
        "create or replace table builds.customer_keys as "
        "select distinct resolved_customer_id, customer_key from intermediate.int_customer_keys",
        "update builds.last_build set is_complete = true, "
        "as_of_date = (select as_of_date from intermediate.int_as_of), "
        "periods = (select count(*) from intermediate.int_review_periods), "
        "periods_kept = (select count(*) from intermediate.int_review_periods where is_kept)",
        "update intermediate.int_review_periods set is_kept = false where is_kept",
    ):
        connection.execute(statement)


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
        return f"create or replace table raw.{table} as select {names} where false"
    listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    reader = (
        f"read_parquet([{listed}], union_by_name = true)"
        if files[0].endswith(".parquet")
        else f"read_csv([{listed}], all_varchar = true, header = true, delim = ',', quote = '\"', "
        "escape = '\"', comment = '', skip = 0, union_by_name = true)"
    )
    described = connection.execute(f"describe select * from {reader}").fetchall()
    present = {row[0].lower(): row[0] for row in described}
    names = ", ".join(
        f'"{present[name]}" as {name}' if name in present else f"cast(null as varchar) as {name}"
        for name in columns
    )
    return f"create or replace table raw.{table} as select {names} from {reader}"
