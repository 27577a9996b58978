"""Run baseline.sql: the hand-written computation that the project's build is measured against."""

from __future__ import annotations

import re
import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import duckdb
import typer

SCRIPT = Path(__file__).with_name("baseline.sql")


def run_baseline(raw: Path, as_of: date, database: Path) -> list[tuple[str, float]]:
    """Compute the whole monthly history of tiers into table `history` of a new DuckDB file.

    Args:
        raw: folder of the raw tables, each a folder of Parquet files.
        as_of: the last day of what is known.
        database: the file to write; an existing one is replaced.

    Returns:
        Each table made, with its seconds of wall time, in the order of the script.
    """
    database.unlink(missing_ok=True)
    seconds = []
    with duckdb.connect(str(database)) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set variable raw_path = ?", [str(raw)])
        connection.execute("set variable as_of_date = ?", [as_of.isoformat()])
        for statement in connection.extract_statements(SCRIPT.read_text(encoding="utf-8")):
            started = time.perf_counter()
            connection.execute(statement)
            table = re.search(r"create (?:temp )?table (\w+)", statement.query)
            seconds.append((table[1] if table else "", time.perf_counter() - started))
    return seconds


def main(
    raw: Annotated[Path, typer.Argument(help="folder of the raw tables")],
    database: Annotated[Path, typer.Argument(help="DuckDB file to write")],
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="last known day")],
) -> None:
    """Run the hand-written baseline and print the seconds of each of its tables."""
    for table, seconds in run_baseline(raw, as_of.date(), database):
        typer.echo(f"{table:<15}{seconds:8.2f} s")


if __name__ == "__main__":
    typer.run(main)
