"""What the next publication takes over from the one that readers see: all rows that are the same, and their files.

Deleted rows leave bytes in a database file, and a copy carries them on. So nothing is taken over where something was taken
back: after an erasure, when a customer or an order is gone, and at the first publication after a review period closes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering.parts import (
    Contents,
    columns_of,
    differing,
    is_in_parts,
    is_of,
    qualified,
)
from customer_tiering.quoting import identifier, literal

# More of the rows that are published in parts may not differ.
LARGEST_SHARE = 0.25
# Ids of which none may be gone.
IDS = {"marts.customers": "customer_id", "marts.orders": "order_id"}
# In a manifest: rows and hashes by table and part.
CONTENTS = "contents"
# The names of attached databases.
SEEN = "seen"


@dataclass(frozen=True)
class Built:
    """What was built, in an attached database: columns and contents of its tables, and how they are published in parts."""

    database: str
    columns: dict[str, list[str]]
    contents: Contents
    published_by: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """The publication that readers see: its folder, and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]
    columns: dict[str, list[str]] = field(default_factory=dict)

    @property
    def contents(self) -> Contents:
        """Rows and hashes of its tables by part."""
        contents: Contents = self.manifest[CONTENTS]
        return contents

    def has_file(self, name: str) -> bool:
        """Whether a file is there as it was published."""
        published = self.manifest["files"].get(name)
        path = self.folder / name
        return bool(published) and path.is_file() and checksum(path) == published["sha256"]

    def has_part(self, built: Built, table: str, part: str) -> bool:
        """Whether it has the rows of a part, in the same columns."""
        return (
            self.columns.get(table) == built.columns.get(table)
            and table in built.contents
            and self.contents.get(table, {}).get(part) == built.contents[table][part]
        )


def seen_before(
    folder: Path | None, same: Mapping[str, Any], manifest: str, file: str
) -> Seen | None:
    """A publication to take rows over from; None when there is none, or its database is not as it was published.

    What is `same` its manifest must say too, such as erasures, rules and in which parts tables are.
    """
    try:
        said = json.loads((folder / manifest).read_text(encoding="utf-8")) if folder else {}
    except (OSError, ValueError):
        return None
    alike = json.loads(json.dumps(same))  # as a manifest has it
    is_whole = isinstance(said, dict) and all(
        isinstance(said.get(part), dict) for part in (CONTENTS, "files")
    )
    if folder is None or not is_whole or any(said.get(k) != v for k, v in alike.items()):
        return None
    seen = Seen(folder, said)
    return seen if seen.has_file(file) else None


def to_take_over(
    connection: duckdb.DuckDBPyConnection, seen: Seen, file: str, built: Built
) -> Seen | None:
    """The publication with its columns; None when nothing may be taken over from it."""
    connection.execute(f"attach {literal(seen.folder / file)} as {SEEN} (read_only)")
    try:
        schemas = {table.split(".")[0] for table in seen.contents}
        known = replace(seen, columns=columns_of(connection, SEEN, schemas))
        stops = (
            _has_closed(connection, known, built)
            or _share_that_differs(known, built) > LARGEST_SHARE
            or any(_is_gone(connection, known, built, *named) for named in IDS.items())
        )
        return None if stops else known
    finally:
        connection.execute(f"detach {SEEN}")


def _has_closed(connection: duckdb.DuckDBPyConnection, seen: Seen, built: Built) -> bool:
    """Whether another period is the newest closed one."""
    table = "marts.review_periods"
    if table not in built.columns or table not in seen.columns:
        return False
    newest = {
        str(
            connection.execute(
                f"select max(period_end) from {qualified(name, table)} where not is_open_period"
            ).fetchall()
        )
        for name in (SEEN, built.database)
    }
    return len(newest) > 1


def _share_that_differs(seen: Seen, built: Built) -> float:
    """The share of the rows in parts that are not the same; tables that are one part change every day."""
    tables = [table for table in built.contents if is_in_parts(table, built.published_by)]
    rows = sum(int(rows) for table in tables for rows, _ in built.contents[table].values())
    other = sum(
        int(built.contents[table].get(part, ["0"])[0])
        for table in tables
        for part in differing(seen.contents, built.contents, table)
    )
    return other / rows if rows else 0.0


def _is_gone(
    connection: duckdb.DuckDBPyConnection, seen: Seen, built: Built, table: str, key: str
) -> bool:
    """Whether an id of a table is no longer there; rows of parts that are the same need no look."""
    if table not in seen.columns or table not in built.columns:
        return table in seen.columns
    parts = differing(seen.contents, built.contents, table)
    if not parts:
        return False
    before, now = qualified(SEEN, table), qualified(built.database, table)
    [(gone,)] = connection.execute(
        f"select count(*) from {before} as before where ({_in(table, built, parts)}) and not exists "
        f"(select 1 from {now} as now where now.{identifier(key)} = before.{identifier(key)})"
    ).fetchall()
    return bool(gone)


def _in(table: str, built: Built, parts: list[str]) -> str:
    """The condition that a row belongs to one of the parts."""
    return " or ".join(f"({is_of(table, built.published_by, part)})" for part in parts)


def replace_what_differs(
    connection: duckdb.DuckDBPyConnection, seen: Seen, copy: str, built: Built
) -> None:
    """Let an attached copy of the publication that readers see hold the rows that were built."""
    for table in seen.columns.keys() - built.columns.keys():
        connection.execute(f"drop table {qualified(copy, table)}")
    for table, columns in built.columns.items():
        target, source = qualified(copy, table), qualified(built.database, table)
        parts = differing(seen.contents, built.contents, table)
        is_alike = seen.columns.get(table) == columns
        if is_alike and is_in_parts(table, built.published_by) and parts:
            condition = _in(table, built, parts)
            connection.execute(f"delete from {target} where {condition}")
            connection.execute(f"insert into {target} from {source} where {condition}")
        elif parts or not is_alike:
            connection.execute(
                f"create schema if not exists {copy}.{identifier(table.split('.')[0])}"
            )
            connection.execute(f"create or replace table {target} as from {source}")


def checksum(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def link_or_copy(path: Path, target: Path) -> bool:
    """Give a published file a second name, or where the file system knows no hard links a copy; whether it is one file."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)
        return False
    return True
