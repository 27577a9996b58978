"""What dbt-duckdb loads, by the profile, into the process in which dbt runs: SQL functions of ours."""

from __future__ import annotations

import os

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from customer_tiering.pseudonyms import KEY, pseudonym


class Plugin(BasePlugin):
    """Gives DuckDB the function customer_pseudonym(text).

    The key is read from the environment where it is needed, so that it is in no SQL text, and with
    that in no file or log.
    """

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the function with a new connection, whose cursors share it."""
        conn.create_function("customer_pseudonym", _pseudonym, ["VARCHAR"], "VARCHAR")


def _pseudonym(customer_id: str) -> str:
    key = os.environ.get(KEY, "")
    if not key:
        raise ValueError(f"the environment has no {KEY}, as var pseudonymise_ids needs it")
    return pseudonym(customer_id, key)
