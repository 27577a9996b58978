"""The models as dbt compiles them for PostgreSQL, run there over raw tables given as text, without dbt's own start-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from compiled_project import (
    CompiledProject,
    RawTables,
    begin_builds,
    compile_project,
    reading_functions,
    shipped_seeds,
)
from postgres_project import BUILT_IN, begin_with, compiled_code, keep
from postgres_server import PostgresServer
from psycopg2 import extensions, extras

START = "compiled_start"


class Connection:
    """A connection to PostgreSQL that executes as DuckDB's does."""

    def __init__(self, connection: extensions.connection) -> None:
        self._cursor = connection.cursor()

    def execute(self, statement: str) -> extensions.cursor:
        """Run a statement; what it gives can be fetched until the next one."""
        self._cursor.execute(statement)
        return self._cursor

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows to a table."""
        extras.execute_values(self._cursor, f"insert into {table} values %s", rows)


@dataclass(frozen=True)
class CompiledOnPostgres:
    """All models in the order in which they build, each with its SQL for PostgreSQL."""

    server: PostgresServer
    project: CompiledProject
    code: Mapping[str, str]

    @contextmanager
    def build(self, raw: RawTables) -> Iterator[Connection]:
        """Run all models over raw tables in a new database, which is gone when the next one is built."""
        begin_with(self.server, _start(self.server))
        with closing(self.server.connect(BUILT_IN)) as opened:
            connection = Connection(opened)
            connection.execute("set timezone = 'UTC'; set enable_nestloop = off")
            for table, columns in self.project.raw_columns.items():
                texts = ", ".join(f'{name} text collate "C"' for name in columns)
                connection.execute(f"create table raw.{table} ({texts})")
                rows = [[row.get(name) for name in columns] for row in raw.get(table, [])]
                connection.insert(f"raw.{table}", rows)
            for model in self.project.models:
                table = model.relation.rpartition(".")[2]
                connection.execute(
                    f"create table {model.schema}.{table} as ({self.code[model.name]}\n)"
                )
            yield connection


def compile_on_postgres(server: PostgresServer, **project_vars: object) -> CompiledOnPostgres:
    """The project's models as dbt compiles them for some vars, by the names that they have on DuckDB."""
    project_vars = {"run_date": "2026-01-31", **project_vars}
    begin_with(server, _start(server))  # without tables that models would go on from
    code = {
        name: sql.replace(f'"{BUILT_IN}"."work_', '"').replace(f'"{BUILT_IN}".', "")
        for name, sql in compiled_code(server, project_vars).items()
    }
    return CompiledOnPostgres(server, compile_project(**project_vars), code)


@cache
def _start(server: PostgresServer) -> str:
    """The name of a database with what all builds begin with: schemas, functions, and seeds as they are shipped."""
    begin_with(server)
    with closing(server.connect(BUILT_IN)) as opened:
        connection = Connection(opened)
        schemas = {"raw", "rules", *(model.schema for model in compile_project().models)}
        for schema in schemas:
            connection.execute(f"create schema {schema}")
        connection.execute(reading_functions("postgres"))
        begin_builds(connection)
        for name, types, rows in shipped_seeds():
            columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
            connection.execute(f"create table rules.{name} ({columns})")
            connection.insert(f"rules.{name}", [[row[c] or None for c in types] for row in rows])
    keep(server, START)
    return START
