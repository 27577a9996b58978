"""The parts of tables that are published one by one, and what tells whether the rows of one are those of another.

A table's YAML says in its meta how it is published: `published_by: period` is a part for each period_end, `month` one for
each month of order_date. Any other table is one part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import duckdb

from customer_tiering.queries import query
from customer_tiering.quoting import identifier, literal

META = "published_by"
# The column that says to which part a row belongs, and the first day of the part.
PARTS = {
    "period": ("period_end", "period_end"),
    "month": ("order_date", "cast(date_trunc('month', order_date) as date)"),
}
# The one part of a table that is published whole, and that of a table in parts without a row.
WHOLE, EMPTY = "", "none"

# By table and part: how many rows there are, and the sum of their hashes.
Contents = dict[str, dict[str, list[str]]]


def name_of(day: date | None, by: str) -> str:
    """The name of the part that begins on a day, or of the period that ends on it; it is that of a file."""
    if day is None:
        return EMPTY
    return day.isoformat() if by == "period" else f"{day:%Y-%m}"


def is_of(table: str, published_by: Mapping[str, str], part: str) -> str:
    """SQL for whether a row of `schema.table` belongs to a part."""
    by = published_by.get(table.split(".")[1])
    if by is None:
        return "true"
    column, _ = PARTS[by]
    if part == EMPTY:
        return f"{column} is null"
    if by == "period":
        return f"{column} = date {literal(part)}"
    first = f"date {literal(f'{part}-01')}"
    return f"{column} >= {first} and {column} < {first} + interval 1 month"


def is_in_parts(table: str, published_by: Mapping[str, str]) -> bool:
    """Whether `schema.table` is published in parts."""
    return table.split(".")[1] in published_by


def differing(before: Contents, now: Contents, table: str) -> list[str]:
    """The parts of a table whose rows are not the same, those that only one of both has among them."""
    parts, others = before.get(table, {}), now.get(table, {})
    return sorted(part for part in {*parts, *others} if parts.get(part) != others.get(part))


def qualified(database: str, table: str) -> str:
    """The name of `schema.table` of a database, as SQL."""
    return ".".join(identifier(name) for name in (database, *table.split(".", 1)))


def columns_of(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: Collection[str]
) -> dict[str, list[str]]:
    """Names and types of the columns of each table of some schemas, by `schema.table`, in order."""
    tables = connection.execute(
        query("tables_to_publish"), {"database": database, "schemas": [*schemas]}
    ).fetchall()
    return {f"{schema}.{table}": columns for schema, table, columns in tables}


def contents_of(
    connection: duckdb.DuckDBPyConnection,
    database: str,
    tables: Collection[str],
    published_by: Mapping[str, str],
) -> Contents:
    """Rows and sum of hashes of each part of some tables of an attached database.

    Rows in whatever order give the same. Hashes may differ from release to release of DuckDB.
    """
    contents: Contents = {}
    for table in tables:
        by = published_by.get(table.split(".")[1])
        day = PARTS[by][1] if by else "cast(null as date)"
        parts = connection.execute(
            f"select {day}, cast(count(*) as varchar), cast(coalesce(sum(hash(counted)), 0) as varchar) "
            f"from {qualified(database, table)} as counted group by 1 order by 1"
        ).fetchall()
        contents[table] = {
            name_of(first, by) if by else WHOLE: [rows, hashes] for first, rows, hashes in parts
        } or {EMPTY if by else WHOLE: ["0", "0"]}
    return contents
