"""Publishes what was built: a new file beside the old one, then one atomic rename."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from customer_tiering.errors import BuildError

PUBLICATION = "marts.duckdb"
SCHEMAS = ("marts", "quality", "history")  # never restricted: it holds personal data
STORAGE_VERSION = "v1.4.0"  # the oldest DuckDB whose clients can open the publication


def publish(warehouse: Path) -> Path:
    """Copy the public schemas of `warehouse`/work.duckdb into `warehouse`/marts.duckdb.

    Readers of the publication see the old file or the new one, never anything between; those who
    have the old one open keep it. Raises BuildError, and then the old one stands.
    """
    published = warehouse / PUBLICATION
    new = warehouse / f"{PUBLICATION}.new"
    try:
        for leftover in (new, warehouse / f"{PUBLICATION}.new.wal"):
            leftover.unlink(missing_ok=True)
        _copy(warehouse / "work.duckdb", new)
        _sync(new)
        os.replace(new, published)
        _sync(warehouse)
    except (duckdb.Error, OSError) as error:
        message = " ".join(str(error).split()).rstrip(".")
        raise BuildError(f"the publication of {published} failed: {message}.") from error
    return published


def open_publication(publication: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection in which the schemas go by their own names, such as marts.customers.

    Opened directly, the file would be the database `marts`, and DuckDB refuses `marts.customers`
    as ambiguous between that database and its schema.
    """
    connection = duckdb.connect()
    try:
        connection.execute(f"attach {_literal(publication)} as warehouse (read_only)")
        connection.execute("use warehouse")
    except duckdb.Error:
        connection.close()
        raise
    return connection


def _copy(work: Path, new: Path) -> None:
    with duckdb.connect() as connection:
        # dbt names the work database after its file; views in it need that name.
        connection.execute(f"attach {_literal(work)} as work (read_only)")
        connection.execute(
            f"attach {_literal(new)} as publication (storage_version '{STORAGE_VERSION}')"
        )
        relations = connection.execute(
            """
            select table_schema, table_name
            from information_schema.tables
            where table_catalog = 'work' and table_schema in (select unnest(?))
            order by 1, 2
            """,
            [list(SCHEMAS)],
        ).fetchall()
        if not any(schema == "marts" for schema, _ in relations):
            raise BuildError(f"the publication failed: {work} holds no marts.")
        for schema, table in relations:
            name = f"{_quoted(schema)}.{_quoted(table)}"
            connection.execute(f"create schema if not exists publication.{_quoted(schema)}")
            connection.execute(f"create table publication.{name} as from work.{name}")
        connection.execute("detach publication")  # writes all of it into the one file


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sync(path: Path) -> None:
    """Make sure that a file, or a folder's entries, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
