"""Macros of the project as SQL for a DuckDB connection, without dbt: the reading functions, and the rows of a mapping."""

from __future__ import annotations

import re
from functools import cache
from glob import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
from jinja2 import Environment

from customer_tiering import encodings
from customer_tiering.quoting import literal

MACROS = Path(__file__).resolve().parent.parent / "macros"
_RENDERED = (
    "engines/duckdb/reading_functions.sql",
    "engines/duckdb/source_rows.sql",
    "engines/duckdb/raw_files.sql",
    "landing/mapped_rows.sql",
    "builds/statements.sql",
)


def connect(**config: Any) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory that has the reading functions and reads files of any encoding."""
    connection = duckdb.connect(config=config)
    encodings.register(connection)
    create_reading_functions(connection)
    return connection


def create_reading_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions that read raw values; see docs/reading.md."""
    connection.execute(macros().duckdb__reading_functions())


@cache
def macros() -> Any:
    """Macros that are texts made of their arguments alone, as dbt has them."""
    names = SimpleNamespace()
    environment = Environment(extensions=["jinja2.ext.do"])
    text = "\n".join((MACROS / file).read_text(encoding="utf-8") for file in _RENDERED)
    context = {
        "customer_tiering": names,
        "modules": SimpleNamespace(re=re),
        "return": lambda value: value,
    }
    module = environment.from_string(text, context).module
    names.__dict__.update(
        {name: value for name, value in vars(module).items() if not name.startswith("_")}
    )
    # those that give a value to another macro, which outside dbt would come with blanks
    names.text_literal = literal
    names.list_of_files = lambda files: f"[{', '.join(literal(escape(file)) for file in files)}]"
    return names
