"""Compares what two engines or two warehouses published: every public table, row by row and column by column, exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
from rich.console import Console
from rich.table import Table

from customer_tiering.errors import SourceError
from customer_tiering.postgres import connected
from customer_tiering.publishing import file_of
from customer_tiering.quoting import identifier, literal

SCHEMAS = ("marts", "quality")
# Times and ids of runs, which no two warehouses share.
NOT_COMPARED = ("quality.refresh_log",)
POSTGRES = "postgres"
SHOWN_ROWS = 3
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

    name: str

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""

    def read(self, table: str, columns: Sequence[str], into: duckdb.DuckDBPyConnection) -> None:
        """Make the table `into`.main.NAME of this side's rows, all values as text; NAME is the side's name."""


@dataclass(frozen=True)
class Difference:
    """A value that differs: the row's key as text, the column, and the value on either side (None is NULL)."""

    key: str
    column: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class Compared:
    """A table on both sides: its rows, rows without an equal one on the other side, and the first differences.

    `faults` are sentences on columns that only one side has or that differ in type; rows are compared by the others.
    """

    table: str
    left_rows: int
    right_rows: int
    only_left: int
    only_right: int
    faults: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.only_left or self.only_right or self.faults)


class DuckdbSide:
    """What a warehouse's folder publishes, or a database file of its layout."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path if path.is_file() else file_of(path)

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return _columns(connection.execute(_COLUMNS_OF_SCHEMAS).fetchall())

    def read(self, table: str, columns: Sequence[str], into: duckdb.DuckDBPyConnection) -> None:
        """Make the table of this side's rows."""
        into.execute(f"attach {literal(self.path)} as compared (read_only)")
        try:
            into.execute(
                f"create or replace table {self.name} as select {_as_texts(columns, 'varchar')} "
                f"from compared.{table}"
            )
        finally:
            into.execute("detach compared")


class PostgresSide:
    """What is published in a PostgreSQL database, which the environment names."""

    def __init__(self, name: str, database: str | None) -> None:
        self.name = name
        self.database = database

    def columns(self) -> dict[str, dict[str, str]]:
        """The types of columns by name, by `schema.table`."""
        with connected(self.database) as connection, connection.cursor() as cursor:
            cursor.execute(_COLUMNS_OF_SCHEMAS)
            return _columns(cursor.fetchall())

    def read(self, table: str, columns: Sequence[str], into: duckdb.DuckDBPyConnection) -> None:
        """Make the table of this side's rows, by way of a file."""
        with (
            tempfile.NamedTemporaryFile(suffix=".csv") as file,
            connected(self.database) as connection,
            connection.cursor() as cursor,
        ):
            cursor.copy_expert(
                f"copy (select {_as_texts(columns, 'text')} from {table}) "
                f"to stdout (format csv, force_quote *, null '\\N')",
                file,
            )
            file.flush()
            into.execute(
                f"create or replace table {self.name} as select * from read_csv("
                f"{literal(file.name)}, header = false, auto_detect = false, delim = ',', quote = '\"', "
                f"escape = '\"', nullstr = '\\N', columns = {_as_struct(columns)})"
            )


# Names of types as information_schema has them on both engines; of decimals with their digits.
_COLUMNS_OF_SCHEMAS = f"""
    select
        table_schema || '.' || table_name as table_name,
        column_name,
        lower(data_type) as data_type,
        numeric_precision,
        numeric_scale
    from information_schema.columns
    where table_schema in ({", ".join(literal(schema) for schema in SCHEMAS)})
    order by 1, ordinal_position
"""


def side_of(name: str, target: str) -> Side:
    """What a target names: `postgres`, `postgres:DATABASE`, a warehouse's folder or a database file.

    Raises SourceError when there is no such folder or file.
    """
    if target == POSTGRES or target.startswith(f"{POSTGRES}:"):
        return PostgresSide(name, target.partition(":")[2] or None)
    path = Path(target)
    if not path.exists():
        allowed = f"{POSTGRES}, {POSTGRES}:DATABASE, the folder of a warehouse or a file of it"
        raise SourceError(target, "no such folder or file", allowed)
    return DuckdbSide(name, path)


def compare(left_target: str, right_target: str) -> list[Compared]:
    """Compare the public tables of two targets; a table that one side lacks has that as its fault."""
    left, right = side_of("left_rows", left_target), side_of("right_rows", right_target)
    left_columns, right_columns = left.columns(), right.columns()
    compared = []
    with _scratch() as connection:
        for table in sorted({*left_columns, *right_columns} - {*NOT_COMPARED}):
            if table not in left_columns or table not in right_columns:
                missing = left_target if table not in left_columns else right_target
                compared.append(Compared(table, 0, 0, 0, 0, (f"{missing} has no such table.",)))
                continue
            columns, faults = _shared(left_columns[table], right_columns[table])
            for side in (left, right):
                side.read(table, columns, connection)
            compared.append(_compared(table, columns, faults, connection))
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
    """The first rows that differ, by key; of each the columns that do. A row of one side has NULL on the other."""
    key = _key(columns, connection)
    keys = ", ".join(identifier(name) for name in key)
    shown = " || ', ' || ".join(f"coalesce({identifier(name)}, 'NULL')" for name in key)
    others = [name for name in columns if name not in key]
    rows = connection.execute(
        f"""
        with only_left as (from left_rows except all from right_rows),
        only_right as (from right_rows except all from left_rows),
        keyed_left as (
            select *, {shown} as shown_key, row_number() over (partition by {keys} order by all) as place
            from only_left
        ),
        keyed_right as (
            select *, {shown} as shown_key, row_number() over (partition by {keys} order by all) as place
            from only_right
        )
        select
            shown_key,
            keyed_left.place is not null,
            keyed_right.place is not null,
            {", ".join(f"keyed_left.{identifier(n)}, keyed_right.{identifier(n)}" for n in others) or "null"}
        from keyed_left
        full outer join keyed_right using (shown_key, place)
        order by shown_key, place
        limit {SHOWN_ROWS}
        """
    ).fetchall()
    for shown_key, is_left, is_right, *values in rows:
        if not (is_left and is_right):
            yield Difference(
                shown_key, "(row)", "there" if is_left else None, "there" if is_right else None
            )
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
    faults = [f"Column {name} is on the left alone." for name in left if name not in right]
    faults += [f"Column {name} is on the right alone." for name in right if name not in left]
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


def _as_struct(columns: Sequence[str]) -> str:
    return "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"


@contextmanager
def _scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of its own for one comparison, on disk: tables may be larger than the memory."""
    with (
        tempfile.TemporaryDirectory(prefix="tiering-compare-") as folder,
        duckdb.connect(str(Path(folder) / "compared.duckdb")) as connection,
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
        for fault in one.faults:
            console.print(f"{one.table}: {fault}", highlight=False, markup=False, soft_wrap=True)
        for difference in one.differences:
            left, right = (
                "NULL" if value is None else value for value in (difference.left, difference.right)
            )
            console.print(
                f"{one.table}, {difference.key}: {difference.column} is {left} on the left and {right} on the right.",
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip
    different = sum(not one.is_equal for one in compared)
    console.print(
        f"{len(compared)} tables compared, {different} of them differ."
        if different
        else f"{len(compared)} tables compared: equal in every row and column.",
        highlight=False,
    )
