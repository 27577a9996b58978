"""Measure refreshes by part beside the hand-written script, and RFM alone beside its peers."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console

from bench.comparing import compare
from bench.generate import CLOSED_PERIODS, DATA, LAST_DAY, SIZES, generate
from bench.landing_zone import add_day, add_order, late, lay_out, raw_rows
from bench.processes import apart
from bench.refreshes import measure_refresh, measure_script
from bench.report import section
from bench.results import Day, Results, keep, machine
from bench.rfm import PEERS_PYTHON, measure_peers
from customer_tiering.publishing import PUBLICATION

# The days in their order: each goes on from the one before. The shop's newest day and what arrives first.
NEXT_DAY = LAST_DAY + timedelta(days=1)
DAY_OF_ONE_ORDER = LAST_DAY + timedelta(days=2)
FIRST_OF_NEXT_PERIOD = date(2026, 1, 1)
DAYS = {
    "first refresh": LAST_DAY,
    "the day after": NEXT_DAY,
    "one order": DAY_OF_ONE_ORDER,
    "one order 40 days late": DAY_OF_ONE_ORDER,
    "after a period has closed": FIRST_OF_NEXT_PERIOD,
}


def arrive(name: str, raw: Path) -> str | None:
    """Add to the landing zone what arrives on a day; gives the customer whose one order it is."""
    day = DAYS[name]
    if name == "one order":
        return add_order(raw, day, "one")
    if name == "one order 40 days late":
        return add_order(raw, late(day), "late")
    if day > LAST_DAY:
        add_day(raw, day)
    return None


def measure_day(name: str, folder: Path, memory_limit: str, compares: bool) -> Day:
    """Measure the refresh of a day, and compare it with the script.

    Raises RuntimeError when a process fails, or the one order has not reached its customer's row.
    """
    raw, warehouse, script = folder / "raw", folder / "warehouse", folder / "script.duckdb"
    rows_before = raw_rows(raw)
    customer_id = apart(arrive, name, raw)
    new_rows = {
        table: rows - rows_before[table]
        for table, rows in raw_rows(raw).items()
        if rows > rows_before[table]
    }
    orders_before = orders_of(customer_id, warehouse) if customer_id else 0
    refresh = measure_refresh(raw, warehouse, memory_limit)
    if customer_id and orders_of(customer_id, warehouse) != orders_before + 1:
        raise RuntimeError(f"{name}: the order of {customer_id} is not in the publication.")
    if not compares:
        return Day(refresh, new_rows, None, None)
    measured = measure_script(raw, script, DAYS[name])
    return Day(refresh, new_rows, measured, apart(compare, script, warehouse / PUBLICATION))


def orders_of(customer_id: str, warehouse: Path) -> int:
    """The orders of a customer that are published."""
    with duckdb.connect(str(warehouse / PUBLICATION), read_only=True) as connection:
        (orders,) = connection.execute(
            "select lifetime_orders from marts.customers where customer_id = $1", [customer_id]
        ).fetchone()
    return orders


def main(
    size: Annotated[str, typer.Argument(help=f"one of {', '.join(SIZES)}")] = "1m",
    closed_periods: Annotated[int, typer.Option(help="the shop's age in closed months")] = (
        CLOSED_PERIODS
    ),
    until: Annotated[
        str, typer.Option(help=f"the last day to measure: {', '.join(DAYS)}, or none")
    ] = list(DAYS)[-1],
    peers: Annotated[bool, typer.Option(help="measure RFM alone, and its peers too")] = False,
    compares: Annotated[
        bool, typer.Option("--compare/--no-compare", help="run the script, and compare with it")
    ] = True,
    memory_limit: Annotated[str, typer.Option(help="what DuckDB may hold in memory")] = "6GB",
    keeps: Annotated[
        bool, typer.Option("--keep", help="write bench/results.json, after each step")
    ] = (False),
    note: Annotated[str, typer.Option(help="a sentence about the run, kept with its results")] = "",
    seed: Annotated[int, typer.Option(help="another seed gives another shop")] = 1,
) -> None:
    """Measure the refreshes of some days one after the other, and print a report in Markdown.

    Ends with 1 when what the script computes differs from what was published, and with 2 when what is
    measured fails.
    """
    if size not in SIZES:
        raise typer.BadParameter(f"size is {size}; allowed: {', '.join(SIZES)}")
    if until not in [*DAYS, "none"]:
        raise typer.BadParameter(f"until is {until}; allowed: {', '.join(DAYS)}, none")
    if peers and not PEERS_PYTHON.exists():
        raise typer.BadParameter("--peers needs bench/.venv; make it: make setup-bench")
    console = Console(stderr=True, markup=False, emoji=False)
    with console.status("raw tables"):
        tables = apart(generate, size, closed_periods, seed)
    folder = DATA / f"{tables.name}-results"
    shutil.rmtree(folder, ignore_errors=True)
    lay_out(tables, folder / "raw")
    results = Results(size, closed_periods, memory_limit, machine(), note, raw_rows(folder / "raw"))

    def keep_so_far() -> None:
        if keeps:
            keep(results)

    try:
        if peers:
            with console.status("RFM alone"):
                found = apart(
                    measure_peers, folder / "raw", LAST_DAY, folder / "peers", memory_limit
                )
                results.peers.update(found)
            keep_so_far()
        for name in [] if until == "none" else DAYS:
            with console.status(name):
                results.days[name] = measure_day(name, folder, memory_limit, compares)
            keep_so_far()
            if name == until:
                break
    except RuntimeError as error:
        console.print(error)
        raise typer.Exit(2) from error
    typer.echo("\n".join(section(results)))
    if any(day.comparison and day.comparison.differences for day in results.days.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
