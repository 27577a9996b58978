"""Public data sets to the raw contract: runs an example's mapping.sql in DuckDB.

Each folder beside this file that holds a `mapping.sql` is an example. The SQL reads the public
files from the folder in the DuckDB variable `data` and makes one table for each raw table; what
it needs on the way are temporary tables, which stay behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from customer_tiering.errors import ConfigurationError, SourceError

EXAMPLES = Path(__file__).parent
_PUBLIC_FILE = re.compile(r"getvariable\('data'\) \|\| '/([^']+)'")
_VARIABLE = re.compile(r"getvariable\('(\w+)'\)")


def names() -> list[str]:
    """The names of the examples, in order."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/mapping.sql"))


def public_files(name: str) -> list[str]:
    """The names of the public files that an example reads, in order.

    Raises:
        ConfigurationError: there is no example of that name.
    """
    return sorted(set(_PUBLIC_FILE.findall(_sql(name))))


def run_mapping(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    data: Path,
    variables: Mapping[str, str] | None = None,
) -> list[str]:
    """Make the raw tables of an example in an empty in-memory database.

    Args:
        connection: where the tables, and the mapping's temporary tables, are made.
        name: the example, one of `names()`.
        data: the folder with the public files, or one that holds them in a subfolder whose name
            begins with the example's.
        variables: the mapping's own choices, as its README lists them.

    Returns:
        The names of the raw tables made, in order.

    Raises:
        ConfigurationError: there is no example or no variable of that name.
        SourceError: a public file is not there, or has other columns.
        duckdb.Error: a variable has a value that the mapping does not know, or a file is broken.
    """
    sql = _sql(name)
    folder = _folder(name, data)
    choices = set(_VARIABLE.findall(sql)) - {"data"}
    for variable, value in (variables or {}).items():
        if variable not in choices:
            allowed = ", ".join(sorted(choices)) or "none"
            raise ConfigurationError(f"variables of {name}", repr(variable), allowed)
        connection.execute(f"set variable {variable} = $1", [value])
    connection.execute("set variable data = $1", [str(folder)])
    try:
        connection.execute(sql)
    except duckdb.BinderException as error:
        found = str(error).splitlines()[0]
        allowed = f"the columns that examples/{name}/README.md names"
        raise SourceError(str(folder), found, allowed) from error
    tables = connection.execute(
        "select table_name from duckdb_tables() where not temporary order by table_name"
    )
    return [table for (table,) in tables.fetchall()]


def build_raw(name: str, data: Path, out: Path, variables: Mapping[str, str] | None = None) -> None:
    """Write the raw tables of an example as Parquet files, one a table, ordered by key.

    The same public files give the same bytes. Earlier files of the same example are replaced.

    Args:
        name: the example, one of `names()`.
        data: the folder with the public files, or one that holds them in a subfolder whose name
            begins with the example's.
        out: the folder to write to; made when missing.
        variables: the mapping's own choices, as its README lists them.

    Raises:
        ConfigurationError, SourceError, duckdb.Error: as `run_mapping`.
        SourceError: `out` holds anything but this example's files; it is left as it is.
    """
    with duckdb.connect() as connection:
        tables = run_mapping(connection, name, data, variables)
        files = {table: out / f"{table}.parquet" for table in tables}
        out.mkdir(parents=True, exist_ok=True)
        # A table left by another example would silently become part of this one.
        strangers = sorted(set(out.iterdir()) - set(files.values()))
        if strangers:
            raise SourceError(
                str(out), strangers[0].name, f"an empty folder or an earlier run of {name}"
            )
        for table, file in files.items():
            # The contract's columns begin with the key, so that this orders by it.
            connection.execute(
                f'copy (select * from "{table}" order by all) to $1 (format parquet)', [str(file)]
            )


def _sql(name: str) -> str:
    if name not in names():
        raise ConfigurationError("example", repr(name), ", ".join(names()))
    return (EXAMPLES / name / "mapping.sql").read_text(encoding="utf-8")


def _folder(name: str, data: Path) -> Path:
    """The folder with all public files of the example: `data` or a subfolder of its name."""
    files = public_files(name)
    for folder in (data, *sorted(data.glob(f"{name}*"))):
        if all((folder / file).is_file() for file in files):
            return folder
    missing = next(file for file in files if not (data / file).is_file())
    raise SourceError(
        str(data / missing),
        "no such file",
        f"a folder with {', '.join(files)} (see examples/{name}/README.md)",
    )
