"""What runs have done: the status of a warehouse and the history of its runs."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from customer_tiering.errors import SourceError
from customer_tiering.locking import is_locked
from customer_tiering.publishing import current_publication, publications
from customer_tiering.reporting import heading, plain_table
from customer_tiering.rules import Change
from customer_tiering.runs import LEDGER, Ledger, Run

STYLES = {"published": "green", "failed": "red", "interrupted": "yellow", "running": "cyan"}
PIPE_WIDTH = 1_000  # columns: a file or a pipe has no edge, so that nothing is cut off there


def print_status(warehouse: Path, console: Console) -> None:
    """Print what readers see, how the last run ended, and whether one is running."""
    runs = _runs(warehouse)
    current, last = current_publication(warehouse), runs[-1]
    table = plain_table("", "")
    table.show_header = False
    seen = next((run for run in runs if current and run.run_id == current.name), None)
    table.add_row("Readers see", current.name if current else "nothing yet")
    if seen:
        table.add_row("As of", seen.as_of_date or "no orders")
        table.add_row("Published at", seen.finished_at)
    kept = len(publications(warehouse))
    table.add_row("Publications kept", f"{kept:,}")
    # the next run will say so in the ledger
    was_cut_off = last.status == "running" and not is_locked(warehouse)
    state = "interrupted" if was_cut_off else _ended(last)
    table.add_row("Last run", f"{last.run_id}, {last.kind}: {state}")
    if last.message:
        table.add_row("", last.message)
    console.print(heading(f"Warehouse {warehouse}", "数据仓库状态"))
    console.print(table, soft_wrap=True)


def print_history(warehouse: Path, last: int, console: Console) -> None:
    """Print the newest runs, the newest first."""
    columns = ("Run", "What", "Status", "Stage", "As of", ">Rows in", ">Rejected", ">Tests")
    table = plain_table(*columns, "Rules", "Options", "")
    for run in reversed(_runs(warehouse)[-last:]):
        table.add_row(
            run.run_id,
            run.kind,
            _ended(run),
            run.stage,
            run.as_of_date,
            *("" if n is None else f"{n:,}" for n in (run.rows_in, run.rows_rejected, run.tests)),
            *(run.rules, run.options),
            run.message or (f"readers see {run.publication}" if run.kind == "rollback" else ""),
            style=STYLES[run.status] if run.status != "published" else None,
        )
    _widen(console)
    console.print(table)


def print_changes(changes: list[Change], console: Console) -> None:
    """Print what has changed of the rules."""
    if not changes:
        console.print("No rule has changed.")
        return
    table = plain_table("Rule", "Before", "After")
    for change in changes:
        table.add_row(change.where, change.before or "", change.after or "")
    _widen(console)
    console.print(table, markup=False)


def _widen(console: Console) -> None:
    if not console.is_terminal:
        console.width = max(console.width, PIPE_WIDTH)


def _ended(run: Run) -> str:
    return run.status if run.exit_code in (None, 0) else f"{run.status} ({run.exit_code})"


def _runs(warehouse: Path) -> list[Run]:
    runs = Ledger(warehouse).runs()
    if not runs:
        allowed = "a warehouse that `tiering refresh` has run on"
        raise SourceError(str(warehouse / LEDGER), "no runs", allowed)
    return runs
