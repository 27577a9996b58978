"""Compares what two engines or two warehouses published: every public table, row by row and column by column, exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb
from rich.console import Console
from rich.table import Table

from customer_tiering.errors import SourceError
from customer_tiering.messages import without_values
from customer_tiering.postgres import connected, copy_rows, rows_of
from customer_tiering.publishing import file_of
from customer_tiering.quoting import identifier, literal

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

SCHEMAS = ("marts", "quality")
# Times and ids of runs, which no two warehouses share.
NOT_COMPARED = ("quality.refresh_log",)
POSTGRES = "postgres"
# On PostgreSQL dbt builds into schemas with this before their names, and a refresh publishes without.
WORK_PREFIX = "work_"
LEFT, RIGHT = "left", "right"
SHOWN_ROWS = 3
# The exit code of a comparison that found differences, as diff has it.
DIFFERENT = 1
# A table's key is looked for among its first columns; beyond, rows are told apart by all of them.
LONGEST_KEY = 5
# What engines call a type; what is not here has one name in all of them.
TYPES = {
    "character varying": "text",
    "varchar": "text",
    "timestamp without time zone": "timestamp",
    "numeric": "decimal",
}


class Side(Protocol):
    """One of the two that are compared."""

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""

    def read(
        self, table: str, columns: Sequence[str], into: str, scratch: duckdb.DuckDBPyConnection
    ) -> None:
        """Make the table `into` of a table's rows, all values as text."""


@dataclass(frozen=True)
class Difference:
    """A value that differs: the row's key as text, the column, and the value on either side (None is NULL).

    Of a row that only one side has, `only` says which, and there is nothing else.
    """

    key: str
    column: str = ""
    left: str | None = None
    right: str | None = None
    only: str = ""

    def __str__(self) -> str:
        if self.only:
            return f"{self.key}: only the {self.only} has this row."
        left, right = ("NULL" if v is None else f"'{v}'" for v in (self.left, self.right))
        return f"{self.key}: {self.column} is {left} on the {LEFT} and {right} on the {RIGHT}."


@dataclass(frozen=True)
class Compared:
    """A table on both sides: its rows, rows without an equal one on the other side, and the first differences.

    `faults` are sentences on columns that only one side has or that differ in type; rows are compared by the others.
    """

    table: str
    left_rows: int = 0
    right_rows: int = 0
    only_left: int = 0
    only_right: int = 0
    faults: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.only_left or self.only_right or self.faults)


class DuckdbSide:
    """A database file with the schemas of a publication."""

    def __init__(self, path: Path) -> None:
        # What is published meanwhile is another file.
        self.path = path.resolve()

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""
        with (
            self._errors_as_source_error(),
            duckdb.connect(self.path, read_only=True) as connection,
        ):
            return _columns(connection.execute(_COLUMNS, [*SCHEMAS]).fetchall())

    def read(
        self, table: str, columns: Sequence[str], into: str, scratch: duckdb.DuckDBPyConnection
    ) -> None:
        """Make the table `into` of a table's rows, all values as text."""
        with self._errors_as_source_error():
            # Attached for this table alone: the other side may be the same file.
            scratch.execute(f"attach {literal(self.path)} as compared (read_only)")
            try:
                scratch.execute(
                    f"create or replace table {into} as "
                    f"select {_as_texts(columns, 'varchar')} from compared.{table}"
                )
            finally:
                scratch.execute("detach compared")

    @contextmanager
    def _errors_as_source_error(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise _unreadable(str(self.path), error) from error


class PostgresSide:
    """What is published in a PostgreSQL database; what a plain dbt build left there when nothing is."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # All tables as they are now, whatever is published meanwhile.
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True, autocommit=False)
        self.prefix = ""

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""
        for prefix in ("", WORK_PREFIX):
            self.prefix = prefix
            found = self._fetch([prefix + schema for schema in SCHEMAS])
            if found:
                break
        return {table.removeprefix(self.prefix): types for table, types in found.items()}

    def _fetch(self, schemas: Sequence[str]) -> dict[str, dict[str, str]]:
        with self._errors_as_source_error(), self.connection.cursor() as cursor:
            cursor.execute(_COLUMNS.replace("?", "%s"), schemas)
            return _columns(cursor.fetchall())

    def read(
        self, table: str, columns: Sequence[str], into: str, scratch: duckdb.DuckDBPyConnection
    ) -> None:
        """Make the table `into` of a table's rows, all values as text, by way of a file."""
        with tempfile.NamedTemporaryFile(prefix="tiering-compare-", suffix=".csv") as file:
            rows = Path(file.name)
            with self._errors_as_source_error():
                query = f"select {_as_texts(columns, 'text')} from {self.prefix}{table}"
                copy_rows(self.connection, query, rows)
            texts = rows_of(rows, dict.fromkeys(columns, "VARCHAR"))
            scratch.execute(f"create or replace table {into} as select * from {texts}")

    @contextmanager
    def _errors_as_source_error(self) -> Iterator[None]:
        try:
            yield
        except self.connection.Error as error:
            raise _unreadable(
                f"PostgreSQL, database {self.connection.info.dbname}", error
            ) from error


def _unreadable(where: str, error: Exception) -> SourceError:
    found = f"tables that cannot be read ({' '.join(without_values(str(error)).split())})"
    return SourceError(where, found, "what a refresh or a build has left")


# information_schema has names of types, and the digits of decimals, on both engines.
_COLUMNS = """
    select
        table_schema || '.' || table_name as table_name,
        column_name,
        lower(data_type) as data_type,
        numeric_precision,
        numeric_scale
    from information_schema.columns
    where table_schema in (?, ?)
    order by 1, ordinal_position
"""


@contextmanager
def side_of(target: str) -> Iterator[Side]:
    """What a target names: `postgres`, `postgres:DATABASE`, a warehouse's folder or a database file.

    Raises SourceError when there is no such database, folder or file.
    """
    if target == POSTGRES or target.startswith(f"{POSTGRES}:"):
        with connected(target.partition(":")[2] or None) as connection:
            yield PostgresSide(connection)
        return
    path = Path(target)
    path = file_of(path) if path.is_dir() else path
    if not path.is_file():
        allowed = f"{POSTGRES}, {POSTGRES}:DATABASE, the folder of a warehouse or a file of it"
        raise SourceError(str(path), "no such file", allowed)
    yield DuckdbSide(path)


def compare(left_target: str, right_target: str) -> list[Compared]:
    """Compare the public tables of two targets, as sets of rows.

    A table that one side lacks has that as its fault. Raises SourceError when a side cannot be read.
    """
    compared = []
    with _scratch() as scratch, side_of(left_target) as left, side_of(right_target) as right:
        found = {LEFT: left.columns(), RIGHT: right.columns()}
        for target, tables in zip((left_target, right_target), found.values(), strict=True):
            if not tables:
                raise SourceError(target, "no public tables", f"a target with {SCHEMAS[0]}")
        for table in sorted({*found[LEFT], *found[RIGHT]} - {*NOT_COMPARED}):
            lacking = [side for side, tables in found.items() if table not in tables]
            if lacking:
                compared.append(Compared(table, faults=(f"The {lacking[0]} has no such table.",)))
                continue
            columns, faults = _shared(found[LEFT][table], found[RIGHT][table])
            left.read(table, columns, "left_rows", scratch)
            right.read(table, columns, "right_rows", scratch)
            compared.append(_compared(table, columns, faults, scratch))
    return compared


def _compared(
    table: str, columns: Sequence[str], faults: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> Compared:
    def count(query: str) -> int:
        row = connection.execute(f"select count(*) from ({query})").fetchone()
        return int(row[0]) if row else 0

    only_left = count("from left_rows except all from right_rows")
    only_right = count("from right_rows except all from left_rows")
    return Compared(
        table,
        count("from left_rows"),
        count("from right_rows"),
        only_left,
        only_right,
        tuple(faults),
        tuple(_differences(columns, connection)) if only_left or only_right else (),
    )


def _differences(
    columns: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> Iterator[Difference]:
    """The first rows that differ, by key; of each the columns that do."""
    key = _key(columns, connection)
    shown = " || ', ' || ".join(
        f"coalesce('''' || {identifier(name)} || '''', 'NULL')" for name in key
    )
    others = [name for name in columns if name not in key]
    pairs = "".join(f", one.{identifier(name)}, other.{identifier(name)}" for name in others)
    # Rows that are equal in all columns are numbered.
    keyed = f"select *, {shown} as shown_key, row_number() over (partition by {shown}) as place"
    rows = connection.execute(
        f"""
        with only_left as (from left_rows except all from right_rows),
        only_right as (from right_rows except all from left_rows),
        one as ({keyed} from only_left),
        other as ({keyed} from only_right)
        select shown_key, one.place, other.place{pairs}
        from one full outer join other using (shown_key, place)
        order by shown_key, place
        limit {SHOWN_ROWS}
        """
    ).fetchall()
    for shown_key, left_place, right_place, *values in rows:
        if left_place is None or right_place is None:
            side = LEFT if right_place is None else RIGHT
            yield Difference(shown_key, only=side)
            continue
        for place, name in enumerate(others):
            left, right = values[2 * place], values[2 * place + 1]
            if left != right:
                yield Difference(shown_key, name, left, right)


def _key(columns: Sequence[str], connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """The fewest first columns that tell all rows apart on both sides; else all columns."""
    for length in range(1, min(LONGEST_KEY, len(columns)) + 1):
        names = ", ".join(identifier(name) for name in columns[:length])
        repeated = " union all ".join(
            f"select 1 from (select {names} from {side} group by all having count(*) > 1)"
            for side in ("left_rows", "right_rows")
        )
        if connection.execute(f"{repeated} limit 1").fetchone() is None:
            return columns[:length]
    return columns


def _shared(left: Mapping[str, str], right: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The columns of both sides in the left one's order, and what is wrong with the others."""
    faults = [f"Only the {LEFT} has the column {name}." for name in left if name not in right]
    faults += [f"Only the {RIGHT} has the column {name}." for name in right if name not in left]
    shared = [name for name in left if name in right]
    if not faults and list(left) != list(right):
        faults.append("The columns stand in another order.")
    faults += [
        f"Column {name} is {left[name]} on the left and {right[name]} on the right."
        for name in shared
        if left[name] != right[name]
    ]
    return shared, faults


def _columns(
    rows: Sequence[tuple[str, str, str, int | None, int | None]],
) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for table, column, data_type, precision, scale in rows:
        name = data_type.partition("(")[0]
        name = TYPES.get(name, name)
        if name == "decimal":
            name = f"decimal({precision}, {scale})"
        tables.setdefault(table, {})[column] = name
    return tables


def _as_texts(columns: Sequence[str], text_type: str) -> str:
    return ", ".join(
        f"cast({identifier(name)} as {text_type}) as {identifier(name)}" for name in columns
    )


@contextmanager
def _scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own for one comparison, on disk: tables may be larger than the memory."""
    with (
        tempfile.TemporaryDirectory(prefix="tiering-compare-") as folder,
        duckdb.connect(Path(folder) / "scratch.duckdb") as connection,
    ):
        connection.execute("set preserve_insertion_order = false")
        yield connection


def print_comparison(
    compared: Sequence[Compared], targets: tuple[str, str], console: Console
) -> None:
    """Show a line a table, and the first differences of those that have any."""
    table = Table(title=f"{targets[0]} (left) beside {targets[1]} (right)")
    table.add_column("table", overflow="fold")
    for heading in ("rows left", "rows right", "only left", "only right"):
        table.add_column(heading, justify="right", overflow="fold")
    for one in compared:
        counts = (one.left_rows, one.right_rows, one.only_left, one.only_right)
        table.add_row(one.table, *(f"{count:,}" for count in counts))
    console.print(table)
    for one in compared:
        for line in (*one.faults, *one.differences):
            console.print(f"{one.table}: {line}", highlight=False, markup=False, soft_wrap=True)
    different = sum(not one.is_equal for one in compared)
    console.print(
        f"{len(compared)} tables compared, "
        + (f"{different} of them differ." if different else "all equal in every row and column."),
        highlight=False,
    )
