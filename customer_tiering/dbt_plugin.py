"""What dbt-duckdb loads, by the profile, into the process in which dbt runs: SQL functions and file encodings of ours, and privacy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.plugins import BasePlugin

from customer_tiering.encodings import register
from customer_tiering.messages import without_values
from customer_tiering.permissions import PRIVATE_UMASK
from customer_tiering.pseudonyms import KEY, pseudonym


class Plugin(BasePlugin):
    """Gives DuckDB the function customer_pseudonym(text), and keeps what dbt writes from others.

    The key is read from the environment where it is needed, so that it is in no SQL text, and with
    that in no file or log.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Let files be for the user alone from now on, and errors come without values of rows."""
        os.umask(PRIVATE_UMASK)
        adapter: Any = local  # dbt-duckdb has no other way to choose the cursor
        adapter.DuckDBCursorWrapper = _Cursor

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the function, and files of other encodings, with a new connection, whose cursors share them."""
        register(conn)
        conn.create_function("customer_pseudonym", _pseudonym, ["VARCHAR"], "VARCHAR")


class _Cursor(local.DuckDBCursorWrapper):
    """A cursor whose errors quote no row: dbt writes them into its log and run_results.json."""

    def execute(self, sql: str, bindings: Any = None) -> Any:
        with _quoting_no_row():
            return super().execute(sql, bindings)

    def fetchall(self) -> list[tuple[Any, ...]]:
        with _quoting_no_row():
            return list(self._cursor.fetchall())

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        with _quoting_no_row():
            return list(self._cursor.fetchmany(size))


@contextmanager
def _quoting_no_row() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise type(error)(without_values(str(error))) from None


def _pseudonym(customer_id: str) -> str:
    key = os.environ.get(KEY, "")
    if not key:
        raise ValueError(f"the environment has no {KEY}, as var pseudonymise_ids needs it")
    return pseudonym(customer_id, key)
