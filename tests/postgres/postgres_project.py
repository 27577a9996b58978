"""The project built by plain dbt on PostgreSQL, in the process of the tests, and the same on DuckDB.

dbt names relations by their database when it parses, so every build is in the database BUILT_IN, parsed once. What is to
be kept of it gets a database of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

from dbt_in_process import dbt, parsed_project
from made_once import DBT_FILES, made_once
from postgres_server import PostgresServer
from raw_schema import copy_raw_tables

BUILT_IN = "warehouse"
RAW_SCHEMA = "company"
# The landing reads words of these when it masks erased persons.
SEEDS_OF_LANDING = ("nobody_words", "order_statuses", "countries")


def build_on_postgres(
    server: PostgresServer,
    folder: Path,
    raw: Path,
    project_vars: Mapping[str, object],
    *,
    without: tuple[str, ...] = ("unit_test", "test"),
    only: str = "",
    change: Callable[[Any], None] = lambda _: None,
) -> None:
    """Build in BUILT_IN, which is there, from a folder of raw tables.

    `without` are dbt's kinds of nodes, `only` is what to select, and `change` changes the parsed project.
    """
    parsed = _parsed()
    change(parsed)
    with closing(server.connect(BUILT_IN)) as connection:
        copy_raw_tables(raw, RAW_SCHEMA, connection)
        with connection.cursor() as cursor:
            cursor.execute("select 1 from pg_namespace where nspname = 'rules'")
            is_first = cursor.fetchone() is None
    given = ("--target", "postgres", "--threads", "2")
    given += ("--vars", json.dumps({**project_vars, "raw_schema": RAW_SCHEMA}))
    with mock.patch.dict(os.environ, server.environment(BUILT_IN)):
        if is_first:
            dbt(folder, "seed", "--select", *SEEDS_OF_LANDING, *given, parsed=_parsed())
        kinds = ("--exclude-resource-type", *without) if without else ()
        selected = ("--select", only) if only else ()
        dbt(folder, "build", *kinds, *selected, *given, parsed=parsed)


def build_on_duckdb(
    warehouse: Path, raw: Path, project_vars: Mapping[str, object], *, only: str = ""
) -> None:
    """Build in a warehouse's work database from a folder of raw tables, without tests; `only` is what to select."""
    warehouse.mkdir(exist_ok=True)
    given = json.dumps({**project_vars, "raw_path": str(raw)})
    selected = ("--select", only) if only else ()
    dbt(
        warehouse,
        *("build", "--exclude-resource-type", "unit_test", "test", *selected, "--vars", given),
        parsed=parsed_project(),
    )


def keep(server: PostgresServer, name: str) -> str:
    """Keep what was built as a database of another name; gives it as a target of `tiering compare`."""
    server.execute(f'create database "{name}" template "{BUILT_IN}"')
    return f"postgres:{name}"


def begin_with(server: PostgresServer, name: str = "", options: str = "") -> None:
    """Let BUILT_IN be a copy of what was kept, or empty, with options such as a locale."""
    server.execute(f'drop database if exists "{BUILT_IN}"')
    server.execute(f'create database "{BUILT_IN}" template "{name or "template0"}" {options}')


def periods_kept(server: PostgresServer, database: str = BUILT_IN) -> int:
    """How many periods the last build kept of the one before."""
    with closing(server.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute("select periods_kept from builds.last_build")
        (kept,) = cursor.fetchone()
        return kept


def basis(server: PostgresServer) -> str:
    """What the last build went by, as a digest."""
    with closing(server.connect(BUILT_IN)) as connection, connection.cursor() as cursor:
        cursor.execute("select basis from builds.last_build")
        (digest,) = cursor.fetchone()
        return digest


def tables_with(server: PostgresServer, database: str, text: str) -> list[str]:
    """The tables of a database that hold a text in any row; what was given as raw is not looked at."""
    with closing(server.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema', %s)",
            [RAW_SCHEMA],
        )
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"select 1 from {table} as scanned where strpos(cast(scanned as text), %s) > 0 limit 1",
                [text],
            )
            found += [table] if cursor.fetchone() else []
        return found


def compiled_code(server: PostgresServer, project_vars: Mapping[str, object]) -> dict[str, str]:
    """The SQL of every model by name; BUILT_IN must be there."""

    def compile_for(folder: Path) -> None:
        with mock.patch.dict(os.environ, server.environment(BUILT_IN)):
            results = dbt(
                folder,
                *("compile", "--select", "resource_type:model", "--indirect-selection", "empty"),
                *("--no-write-json", "--target", "postgres", "--vars", json.dumps(project_vars)),
                parsed=_parsed(),
            ).results
        code = {row.node.name: row.node.compiled_code for row in results}
        (folder / "code.json").write_text(json.dumps(code), encoding="utf-8")

    name = hashlib.sha256(json.dumps(project_vars, sort_keys=True).encode()).hexdigest()[:16]
    folder = made_once("compiled", f"postgres-{name}", DBT_FILES, compile_for)
    return json.loads((folder / "code.json").read_text(encoding="utf-8"))


def _parsed() -> object:
    def parse(folder: Path) -> None:
        with mock.patch.dict(os.environ, {"TIERING_POSTGRES_DATABASE": BUILT_IN}):
            parsed = dbt(folder, "parse", "--no-partial-parse", "--target", "postgres")
        (folder / "manifest.pickle").write_bytes(pickle.dumps(parsed))

    folder = made_once("compiled", "parsed_on_postgres", DBT_FILES, parse)
    return pickle.loads((folder / "manifest.pickle").read_bytes())
