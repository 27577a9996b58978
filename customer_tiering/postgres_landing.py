"""Raw tables that DuckDB has landed from files, copied into a schema of the PostgreSQL database.

Their landing has checked the files, masked erased persons and made pseudonyms. dbt reads the copies as a raw_schema that
nothing is to be done to. They are there only while it builds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import psycopg2

from customer_tiering.building import Build, build, dbt_command
from customer_tiering.errors import BuildError, ConfigurationError, SourceError
from customer_tiering.postgres import words_of
from customer_tiering.postgres_publishing import HISTORY, Database
from customer_tiering.progress import Progress
from customer_tiering.pseudonyms import pseudonym
from customer_tiering.publishing import UNFINISHED, errors_as_build_error
from customer_tiering.quoting import identifier, literal

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

LANDED = "landed"
LANDED_FILES = "TIERING_LANDED_FILES"  # the environment variable that tells dbt's landing
# dbt lands the raw tables before it builds anything. All that is then built is one seed, which nobody reads.
LAND = ("build", "--select", "nobody_words", "--resource-type", "seed")
_COMMENT = "Raw tables copied from files by a refresh, which removes them"
# Types of landed columns that PostgreSQL calls otherwise or lacks; what is not here is copied as text.
TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric",
    "UHUGEINT": "numeric",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}


def land(
    project: Path,
    warehouse: Path,
    overrides: Mapping[str, object],
    progress: Progress,
    lock: Sequence[int],
    environment: Mapping[str, str],
) -> Build:
    """Let DuckDB land files in the work database, as the first step of a build there; see building.build."""
    command = dbt_command(project.resolve(), warehouse.resolve(), overrides, LAND)
    return build(project, warehouse, overrides, progress, lock, environment, command)


def check(database: Database) -> None:
    """Raise ConfigurationError when the schema of the copies is one that no refresh has made."""
    with _errors(database, "looking at the database"):
        if _comments(database) not in ([], [_COMMENT]):
            allowed = f"none of that name, as files are copied into it (or it as the var raw_schema: {LANDED})"
            raise ConfigurationError(
                f"{database}, schema {LANDED}", "one that no refresh made", allowed
            )


@contextmanager
def copied(database: Database, work: Path) -> Iterator[None]:
    """Let the database have the raw tables that are landed in the DuckDB file `work`, and remove them afterwards.

    Raises SourceError at a text that PostgreSQL cannot hold, BuildError when the database refuses.
    """
    rows = work.with_name(f"{work.name}.csv{UNFINISHED}")
    try:
        with (
            errors_as_build_error(f"the copy of {work} into {database}"),
            duckdb.connect(str(work), read_only=True) as landed,
            _transaction(database, f"the copy of {work}") as connection,
        ):
            landed.execute("set TimeZone = 'UTC'")
            _drop(connection)
            _execute(connection, f"create schema {LANDED}")
            _execute(connection, f"comment on schema {LANDED} is {literal(_COMMENT)}")
            for table, columns in _landed_columns(landed).items():
                _refuse_zeros(landed, table, columns)
                _copy(landed, connection, table, columns, rows)
        rows.unlink(missing_ok=True)
        yield
    finally:
        rows.unlink(missing_ok=True)
        with suppress(BuildError):  # the next refresh tries again
            remove_copies(database)


def remove_copies(database: Database) -> None:
    """Remove what a refresh has copied, and nothing of others."""
    with _errors(database, "removing copies of raw tables"):
        is_ours = _comments(database) == [_COMMENT]
    if is_ours:
        with _transaction(database, "removing copies of raw tables") as connection:
            _drop(connection)


def forget(database: Database, handed: Path, key: str | None) -> None:
    """Let the history from which dbt continues have no person whose id DuckDB has handed over as erased.

    With a key the history has their pseudonyms. No id is in the text of a statement, which the server may log.
    """
    if not handed.is_file():
        return
    with duckdb.connect() as reader:
        rows = reader.execute("select customer_id from read_parquet(?)", [str(handed)]).fetchall()
    ids = [pseudonym(customer_id, key) if key else customer_id for (customer_id,) in rows]
    quoted = "".join('"{}"\n'.format(text.replace('"', '""')) for text in ids)
    with (
        _transaction(database, "forgetting erased persons") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("create temporary table forgotten (customer_id text) on commit drop")
        cursor.copy_expert("copy forgotten from stdin (format csv)", StringIO(quoted))
        for table in HISTORY:
            cursor.execute(f"select to_regclass('history.{table}') is not null")
            if cursor.fetchone() == (True,):
                cursor.execute(
                    f"delete from history.{table} where customer_id in (select customer_id from forgotten)"
                )


def _landed_columns(landed: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The types of the columns that the files have, by table and name; with a mapping also where each row was found."""
    found = landed.execute(
        """
        select columns.table_name, columns.column_name, columns.data_type
        from duckdb_columns() as columns
        inner join (
            select source_table, column_name from raw.landed_columns where is_landed
            union
            select source_table, 'source_place' as column_name from raw.landed_columns where is_landed
        ) as landed
            on columns.table_name = landed.source_table and columns.column_name = landed.column_name
        where columns.database_name = current_database() and columns.schema_name = 'raw'
        order by columns.table_name, columns.column_index
        """
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, data_type in found:
        tables.setdefault(table, {})[column] = data_type
    return tables


def _refuse_zeros(landed: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> None:
    texts = [name for name, data_type in columns.items() if _type(data_type) == "text"]
    if not texts:
        return
    having = ", ".join(
        f"bool_or(contains(cast({identifier(name)} as varchar), chr(0)))" for name in texts
    )
    [found] = landed.execute(f"select {having} from raw.{identifier(table)}").fetchall()
    for name, has_zero in zip(texts, found, strict=True):
        if has_zero:
            allowed = "text without it, which PostgreSQL cannot hold"
            raise SourceError(
                f"raw table {table}", f"the character U+0000 in column {name}", allowed
            )


def _copy(
    landed: duckdb.DuckDBPyConnection,
    connection: Connection,
    table: str,
    columns: dict[str, str],
    rows: Path,
) -> None:
    """Copy a table by way of a file, in which texts alone have quotes and NULL is the only \\N without."""
    types = {name: _type(data_type) for name, data_type in columns.items()}
    texts = [identifier(name) for name, data_type in types.items() if data_type == "text"]
    quoted = f", force_quote ({', '.join(texts)})" if texts else ""
    # PostgreSQL would round what is below a microsecond
    values = {"text": "cast({} as varchar)", "timestamp": "cast({} as timestamp)"}
    selected = ", ".join(
        f"{values.get(data_type, '{}').format(identifier(name))} as {identifier(name)}"
        for name, data_type in types.items()
    )
    landed.execute(
        f"copy (select {selected} from raw.{identifier(table)}) to {literal(rows)} "
        f"(format csv, header false, nullstr '\\N'{quoted})"
    )
    declared = ", ".join(f"{identifier(name)} {data_type}" for name, data_type in types.items())
    target = f"{LANDED}.{identifier(table)}"
    _execute(connection, f"create table {target} ({declared})")
    with rows.open("rb") as file, connection.cursor() as cursor:
        cursor.copy_expert(f"copy {target} from stdin (format csv, null '\\N')", file)


def _type(data_type: str) -> str:
    if data_type.startswith("DECIMAL") and data_type.endswith(")"):
        return data_type.replace("DECIMAL", "numeric")
    return TYPES.get(data_type, "text")


def _comments(database: Database) -> list[str | None]:
    """The comment on the schema of the copies, if it is there."""
    with database.connection.cursor() as cursor:
        cursor.execute(
            "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
            [LANDED],
        )
        return [comment for (comment,) in cursor.fetchall()]


def _drop(connection: Connection) -> None:
    _execute(connection, f"drop schema if exists {LANDED} cascade")


def _execute(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _transaction(database: Database, what: str) -> Iterator[Connection]:
    """A transaction that waits for nobody's lock for long."""
    with _errors(database, what):
        try:
            _execute(database.connection, "begin")
            _execute(database.connection, "set local lock_timeout = '30s'")
            yield database.connection
            _execute(database.connection, "commit")
        except BaseException:
            with suppress(psycopg2.Error):
                _execute(database.connection, "rollback")
            raise


@contextmanager
def _errors(database: Database, what: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise BuildError(f"{what} in {database} failed: {words_of(error)}.") from None
