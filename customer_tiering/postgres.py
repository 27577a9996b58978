"""Where the PostgreSQL database is: the environment says, for dbt's profile and for the command line alike."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.quoting import literal

if TYPE_CHECKING:
    from psycopg2 import Error
    from psycopg2.extensions import connection as Connection  # noqa: N812

HOST = "TIERING_POSTGRES_HOST"
PORT = "TIERING_POSTGRES_PORT"
USER = "TIERING_POSTGRES_USER"
DATABASE = "TIERING_POSTGRES_DATABASE"
PASSWORD = "DBT_ENV_SECRET_POSTGRES_PASSWORD"  # the variable's name
# What profiles/profiles.yml takes for those that are not set.
DEFAULTS = {HOST: "localhost", PORT: "5432", USER: "tiering", DATABASE: "tiering", PASSWORD: ""}


@contextmanager
def connected(database: str | None = None) -> Iterator[Connection]:
    """A connection that commits each statement, to the database that the environment names or to another one there.

    Raises ConfigurationError when psycopg2 is not installed, SourceError when there is no connection.
    """
    try:
        import psycopg2
    except ImportError:
        allowed = "what `make setup-postgres` installs"
        raise ConfigurationError("Python", "no module psycopg2", allowed) from None
    settings = {name: os.environ.get(name) or default for name, default in DEFAULTS.items()}
    name = database or settings[DATABASE]
    try:
        connection = psycopg2.connect(
            host=settings[HOST],
            port=settings[PORT],
            user=settings[USER],
            password=settings[PASSWORD],
            dbname=name,
            # a firewall may forget who is silent while dbt builds
            keepalives_idle=60,
        )
    except psycopg2.OperationalError as error:
        where = f"PostgreSQL at {settings[HOST]}, port {settings[PORT]}, database {name}"
        # of the last address that was tried, without libpq's question whether a server is running there
        reason = str(error).strip().rpartition(" failed: ")[2].splitlines()[0]
        found = reason.removeprefix("FATAL:").strip()
        allowed = f"a database that answers, as the environment says ({', '.join(DEFAULTS)})"
        raise SourceError(where, f"no connection ({found})", allowed) from None
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def copy_rows(connection: Connection, query: str, file: Path) -> None:
    """Copy the rows of a query into a file, which `rows_of` reads. NULL is the only value without quotes."""
    with file.open("wb") as opened, connection.cursor() as cursor:
        cursor.copy_expert(
            f"copy ({query}) to stdout (format csv, force_quote *, null '\\N')", opened
        )


def rows_of(file: Path, columns: Mapping[str, str]) -> str:
    """DuckDB's SQL of the rows that `copy_rows` wrote, with columns of types in DuckDB's words.

    Not in parallel: texts may have any line ends. A quoted \\N is that text.
    """
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    return (
        f"read_csv({literal(file)}, header = false, auto_detect = false, delim = ',', quote = '\"', "
        "escape = '\"', nullstr = '\\N', allow_quoted_nulls = false, parallel = false, "
        f"columns = {{{types}}})"
    )


def words_of(error: Error) -> str:
    """What PostgreSQL says of an error, without details, hints and the values of rows that it may quote."""
    primary = (error.diag.message_primary or str(error)).strip()
    if (error.pgcode or "").startswith("22"):  # about a value, which stands at its end
        quoted = primary.partition('"')
        return f"{quoted[0]}…" if quoted[1] else primary
    return " ".join(primary.split()).rstrip(".") or type(error).__name__
