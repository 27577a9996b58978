"""dbt, as its own command line has it, where PostgreSQL's errors quote no value of a row.

dbt writes them into its log, run_results.json and what it prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg2
from dbt.cli.main import cli
from psycopg2 import extensions

from customer_tiering.postgres import words_of


class _Cursor(extensions.cursor):  # type: ignore[misc]
    """A cursor whose errors quote no row."""

    def execute(self, query: Any, vars: Any = None) -> None:
        with _quoting_no_row():
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with _quoting_no_row():
            super().executemany(query, vars_list)

    def copy_expert(self, *arguments: Any, **options: Any) -> None:
        with _quoting_no_row():
            super().copy_expert(*arguments, **options)


@contextmanager
def _quoting_no_row() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise type(error)(words_of(error)) from None


if __name__ == "__main__":
    # dbt-postgres has no other way to choose the cursor
    psycopg2.connect = partial(psycopg2.connect, cursor_factory=_Cursor)
    cli()
