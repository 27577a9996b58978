"""A folder of raw files copied into a schema of a PostgreSQL database, as a company has its tables there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
from psycopg2 import extensions

# Names that DuckDB and PostgreSQL do not share.
TYPES = {"VARCHAR": "text", "DOUBLE": "double precision", "HUGEINT": "numeric"}
SUFFIXES = (".csv", ".parquet")


def copy_raw_tables(raw: Path, schema: str, connection: extensions.connection) -> None:
    """Make a schema of a folder's raw tables, in place of one that is there."""
    with connection.cursor() as cursor, duckdb.connect() as reader:
        cursor.execute(f'drop schema if exists "{schema}" cascade; create schema "{schema}"')
        reader.execute("set TimeZone = 'UTC'")
        for source in sources(raw):
            _copy_table(source, f'"{schema}"."{source.stem}"', reader, cursor)


def sources(raw: Path) -> list[Path]:
    """The file or the folder of files of each raw table."""
    return [path for path in sorted(raw.iterdir()) if path.is_dir() or path.suffix in SUFFIXES]


def rows_of(source: Path) -> str:
    """What DuckDB reads of a raw table: Parquet in its types, CSV as text."""
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    names = [str(file) for file in files if file.suffix in SUFFIXES]
    if names[0].endswith(".parquet"):
        return f"read_parquet({names}, union_by_name = true)"
    return (
        f"read_csv({names}, all_varchar = true, header = true, delim = ',', quote = '\"', "
        "escape = '\"', union_by_name = true)"
    )


def _copy_table(
    source: Path, table: str, reader: duckdb.DuckDBPyConnection, cursor: extensions.cursor
) -> None:
    rows = rows_of(source)
    columns = {
        name: TYPES.get(data_type, data_type)
        for name, data_type, *_ in reader.execute(f"describe from {rows}").fetchall()
    }
    texts = ", ".join(f'"{name}"' for name, data_type in columns.items() if data_type == "text")
    quoted = f", force_quote ({texts})" if texts else ""
    declared = ", ".join(f'"{name}" {data_type}' for name, data_type in columns.items())
    cursor.execute(f"create table {table} ({declared})")
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "table.csv"
        reader.execute(
            f"copy (from {rows}) to '{copied}' (format csv, header false, nullstr '\\N'{quoted})"
        )
        with copied.open("rb") as file:
            cursor.copy_expert(f"copy {table} from stdin (format csv, null '\\N')", file)
