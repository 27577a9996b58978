"""Measure a refresh by part beside the hand-written baseline, and compare their tiers."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import duckdb
import typer
from rich.console import Console

from bench.cost import MAXRSS_BYTES, Cost, total
from bench.generate import DATA, LAST_DAY, SIZES, TABLES, Size, generate
from customer_tiering.publishing import PUBLICATION
from customer_tiering.quoting import literal

PROJECT = Path(__file__).parent.parent
HISTORY = "model.customer_tiering.customer_periods"

# What both must agree on, with the type in which it is compared.
COMPARED = {
    "recency_days": "integer",
    "frequency": "integer",
    "monetary": "decimal(18, 2)",
    "r_score": "integer",
    "f_score": "integer",
    "m_score": "integer",
    "value_score": "decimal(11, 8)",
    "growth_score": "decimal(11, 8)",
    "loyalty_score": "decimal(11, 8)",
    "satisfaction_score": "decimal(11, 8)",
    "engagement_score": "decimal(11, 8)",
    "partnership_score": "decimal(11, 8)",
    "management_score": "decimal(18, 14)",
    "tier_rank": "integer",
    "change_type": "varchar",
}

# The tables that grow from day to day: the id that new rows have anew, and their times, the first of which dates a row.
GROWING = {
    "orders": ("order_id", ["ordered_at", "cancelled_at", "returned_at", "updated_at"]),
    "refunds": ("refund_id", ["refunded_at"]),
    "interactions": ("interaction_id", ["occurred_at"]),
    "tickets": ("ticket_id", ["opened_at", "closed_at"]),
    "survey_responses": ("response_id", ["responded_at"]),
    "referrals": ("referral_id", ["referred_at", "converted_at"]),
    "account_balances": ("", ["balance_date"]),  # of the accounts that are there
    "campaign_contacts": ("campaign_id", ["contacted_at"]),  # of the campaign that then begins
}

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Measured:
    """What one process, its children included, cost; gigabytes are 10^9 bytes."""

    cost: Cost
    peak_gigabytes: float


@dataclass(frozen=True)
class Refresh:
    """What a refresh cost, as a whole and by part, and the models that the history is made of."""

    whole: Measured
    parts: dict[str, Cost]
    to_history: Cost


@dataclass(frozen=True)
class Day:
    """What a day's script and refresh cost; rows that were read, compared and found to differ."""

    script: Measured
    refresh: Refresh
    raw_rows: dict[str, int]
    compared_rows: int
    differences: dict[str, int]


def apart(
    function: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Call a function in another process: measured ones begin with the peak memory of this one."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_print_nothing) as pool:
        return pool.submit(function, *arguments, **named).result()


def _print_nothing() -> None:
    """Keep DuckDB's progress out of the report."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def measure(command: list[str], log: Path) -> Measured:
    """Run a command to its end and measure it; its peak memory is that of its largest process.

    Args:
        command: the program and its arguments.
        log: file that receives what the command prints.

    Raises:
        RuntimeError: the command failed; the message ends with the last lines of its log.
    """
    started = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_seconds = time.perf_counter() - started
    if process.returncode != 0:
        last_lines = "\n".join(log.read_text(encoding="utf-8").splitlines()[-30:])
        raise RuntimeError(f"{command[2]} ended with {process.returncode}:\n{last_lines}")
    return Measured(
        Cost(wall_seconds, usage.ru_utime + usage.ru_stime), usage.ru_maxrss * MAXRSS_BYTES / 1e9
    )


def measure_day(folder: Path, as_of: date) -> Day:
    """Measure the script and a refresh of the landing zone folder/raw, and compare the two."""
    baseline, warehouse = folder / "baseline.duckdb", folder / "warehouse"
    script = measure_script(folder / "raw", baseline, as_of)
    refresh = measure_refresh(folder / "raw", warehouse)
    rows, differences = apart(compare, baseline, warehouse / PUBLICATION)
    return Day(script, refresh, raw_rows(folder / "raw"), rows, differences)


def measure_script(raw: Path, database: Path, as_of: date) -> Measured:
    """Measure the hand-written script, whose result is a database."""
    command = [sys.executable, "-m", "bench.baseline", str(raw), str(database)]
    return measure([*command, "--as-of", as_of.isoformat()], database.with_suffix(".log"))


def measure_refresh(raw: Path, warehouse: Path) -> Refresh:
    """Measure `tiering refresh`, which publishes into a warehouse."""
    costs = warehouse.with_suffix(".json")
    # The same vars each time, as in a schedule: when one changes, dbt parses the project anew.
    project_vars = json.dumps({"run_date": (LAST_DAY + timedelta(days=2)).isoformat()})
    command = [
        *(sys.executable, "-m", "bench.refresh", str(costs)),
        *("--raw", str(raw), "--warehouse", str(warehouse), "--vars", project_vars),
    ]
    measured = measure(command, warehouse.with_suffix(".log"))
    written = json.loads(costs.read_text(encoding="utf-8"))
    stages, nodes = (
        {name: Cost(**cost) for name, cost in written[kind].items()} for kind in ("stages", "nodes")
    )
    manifest = json.loads((warehouse / "target" / "manifest.json").read_text(encoding="utf-8"))
    return Refresh(
        Measured(measured.cost, written["peak_gigabytes"]),
        parts_of(measured.cost, stages, nodes),
        total(nodes[node] for node in upstream(HISTORY, manifest["parent_map"]) & nodes.keys()),
    )


def parts_of(whole: Cost, stages: Mapping[str, Cost], nodes: Mapping[str, Cost]) -> dict[str, Cost]:
    """The parts of a refresh, which add up to the whole.

    Args:
        whole: the process of the refresh, from its start to its end.
        stages: what lies within it: dbt, audit, database and Parquet.
        nodes: what lies within dbt, by unique_id.
    """

    def nodes_of(*kinds: str) -> Cost:
        return total(cost for node, cost in nodes.items() if node.split(".")[0] in kinds)

    parts = {
        "models": nodes_of("model", "seed", "snapshot"),
        "tests": nodes_of("test"),
        "audit": stages["audit"],
        "database": stages["database"],
        "Parquet": stages["Parquet"],
        "landing": nodes_of("operation"),
    }
    in_nodes = total(parts[part] for part in ("models", "tests", "landing"))
    parts["dbt itself"] = stages["dbt"] - in_nodes
    parts["the rest"] = whole - total(parts.values())
    return parts


def upstream(node: str, parents: Mapping[str, list[str]]) -> set[str]:
    """A model, and the models, seeds and snapshots that it is made of."""
    needed, found = set(), [node]
    while found:
        node = found.pop()
        if node not in needed:
            needed.add(node)
            found.extend(parents.get(node, []))
    return needed


def lay_out(tables: Path, raw: Path) -> None:
    """Lay the generated tables out as a landing zone, to which files are added."""
    for table in TABLES:
        (raw / table).mkdir(parents=True)
        os.link(tables / f"{table}.parquet", raw / table / "history.parquet")


def add_next_day(raw: Path, day: date) -> None:
    """Add a file of the next day's rows to each table of a landing zone that grows.

    They are those of the newest day that the table has, under new ids or of the same accounts, but for
    refunds that would take back more than the order's amount.
    """
    history = {table: f"'{raw / table / 'history.parquet'}'" for table in TABLES}
    with duckdb.connect() as connection:

        def add(table: str, replaced: str, condition: str) -> None:
            connection.execute(
                f"copy (select * replace ({replaced}) from {history[table]} where {condition}) "
                f"to '{raw / table / 'next_day.parquet'}' (format parquet)"
            )

        refundable = (
            f"select order_id from {history['refunds']} as refunds "
            f"inner join {history['orders']} as orders using (order_id) "
            "group by order_id, order_amount having 2 * sum(refund_amount) <= order_amount"
        )
        for table, (key, times) in GROWING.items():
            (newest,) = connection.execute(
                f"select max({times[0]})::date from {history[table]}"
            ).fetchone()
            later = (
                f"({time} + to_days({(day - newest).days})){'::date' if time.endswith('_date') else ''} as {time}"
                for time in times
            )
            condition = f"{times[0]}::date = date '{newest}'"
            if table == "refunds":
                condition += f" and order_id in ({refundable})"
            ids = [f"{key} || 'n' as {key}"] if key else []
            add(table, ", ".join([*ids, *later]), condition)
        new_orders = f"select order_id from '{raw / 'orders' / 'next_day.parquet'}'"
        add("order_items", "order_id || 'n' as order_id", f"order_id || 'n' in ({new_orders})")


def raw_rows(raw: Path) -> dict[str, int]:
    """The number of rows of each raw table."""
    with duckdb.connect() as connection:
        counts = {
            table: connection.execute(f"select count(*) from '{raw / table}/*.parquet'").fetchone()
            for table in TABLES
        }
    return {table: rows for table, (rows,) in counts.items()}


def compare(baseline: Path, publication: Path) -> tuple[int, dict[str, int]]:
    """Compare the baseline's history with the published marts.customer_periods, row by row.

    Returns:
        The rows of the baseline, and the differing rows of each compared column ("only in ..."
        counts rows that the other side lacks). Nothing but zeros when they agree.
    """
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in COMPARED.items())
    sides = {
        "script": f"select customer_id, period_end, {columns} from baseline.history",
        "refresh": f"select customer_id, period_end, {columns} "
        "from (select * replace (coalesce(tier_rank, 0) as tier_rank) "
        "from publication.marts.customer_periods)",
    }
    names = [*(f"only in the {side}" for side in sides), *COMPARED]
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(baseline.with_suffix('.tmp'))}")
        connection.execute(f"attach {literal(baseline)} as baseline (read_only)")
        connection.execute(f"attach {literal(publication)} as publication (read_only)")
        fingerprints = [
            connection.execute(
                f"select count(*), sum(hash(side_rows)) from ({query}) as side_rows"
            ).fetchone()
            for query in sides.values()
        ]
        rows = fingerprints[0][0]
        if fingerprints[0] == fingerprints[1]:
            return rows, dict.fromkeys(names, 0)
        tests = [
            "b.customer_id is null",
            "a.customer_id is null",
            *(
                f"a.customer_id = b.customer_id and a.{name} is distinct from b.{name}"
                for name in COMPARED
            ),
        ]
        counts = connection.execute(
            f"select {', '.join(f'count(*) filter (where {test})' for test in tests)} "
            f"from ({sides['script']}) as a full outer join ({sides['refresh']}) as b "
            "on a.customer_id = b.customer_id and a.period_end = b.period_end"
        ).fetchone()
    return rows, dict(zip(names, counts, strict=True))


def machine() -> str:
    """The machine and the versions that were measured, in one sentence."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"{name} {version(name)}" for name in ("dbt-core", "dbt-duckdb", "duckdb")]
    return (
        f"{os.cpu_count()} cores, {gigabytes:.0f} GB of memory; "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def costs_table(days: Sequence[Day]) -> list[str]:
    """The lines of a Markdown table of seconds: the parts, what they add up to, and the script."""

    def line(name: str, *costs: Cost) -> str:
        cells = (f"{seconds:.1f}" for cost in costs for seconds in (cost.wall, cost.cpu))
        return f"| {' | '.join([name, *cells])} |"

    lines = [
        "| seconds | first refresh | its CPU | the day after | its CPU |",
        "|---|---:|---:|---:|---:|",
    ]
    for part in days[0].refresh.parts:
        lines.append(line(part, *(day.refresh.parts[part] for day in days)))
        if part == "models":
            of_them = "of them, customer_periods and its upstream models"
            lines.append(line(of_them, *(day.refresh.to_history for day in days)))
    return [
        *lines,
        line("**whole refresh**", *(day.refresh.whole.cost for day in days)),
        line("hand-written script", *(day.script.cost for day in days)),
    ]


def report(size: Size, days: Sequence[Day]) -> list[str]:
    """The lines of a section in Markdown: what was measured, the costs, and what was compared."""
    first, next_day = days
    rows = ", ".join(f"{table} {count:,}" for table, count in first.raw_rows.items())
    new_rows = ", ".join(
        f"{table} {count - first.raw_rows[table]:,}"
        for table, count in next_day.raw_rows.items()
        if count > first.raw_rows[table]
    )
    return [
        f"## {size.orders:,} orders of {size.customers:,} customers",
        "",
        machine(),
        "",
        f"Raw rows: {rows}. New the day after: {new_rows}.",
        "",
        *costs_table(days),
        "",
        f"Peak memory: first refresh {first.refresh.whole.peak_gigabytes:.1f} GB, the day after "
        f"{next_day.refresh.whole.peak_gigabytes:.1f} GB, hand-written script "
        f"{max(day.script.peak_gigabytes for day in days):.1f} GB.",
        "",
        *comparison(days),
    ]


def comparison(days: Sequence[Day]) -> list[str]:
    """A line that says in what script and refreshes agree, or one per column that differs."""
    differing = [
        f"{name}: {count:,} rows differ on day {number}."
        for number, day in enumerate(days, start=1)
        for name, count in day.differences.items()
        if count
    ]
    rows = " and ".join(f"{day.compared_rows:,}" for day in days)
    return differing or [
        f"Script and refreshes agree in all {rows} customer-months: 0 rows differ in "
        f"{', '.join(COMPARED)}."
    ]


def main(
    size: Annotated[str, typer.Argument(help=f"one of {', '.join(SIZES)}")] = "1m",
    seed: Annotated[int, typer.Option(help="another seed gives another shop")] = 1,
) -> None:
    """Measure a first refresh and that of the day after, and print a report in Markdown.

    Ends with 1 when the script's measures, scores or tiers differ from the published ones, and with
    2 when what is measured fails.
    """
    if size not in SIZES:
        raise typer.BadParameter(f"size is {size}; allowed: {', '.join(SIZES)}")
    console = Console(stderr=True)
    with console.status("raw tables"):
        tables = apart(generate, size, seed)
    folder = DATA / f"{tables.name}-results"
    shutil.rmtree(folder, ignore_errors=True)
    lay_out(tables, folder / "raw")
    try:
        with console.status("the first refresh"):
            first = measure_day(folder, LAST_DAY)
        with console.status("the day after"):
            apart(add_next_day, folder / "raw", LAST_DAY + timedelta(days=1))
            next_day = measure_day(folder, LAST_DAY + timedelta(days=1))
    except RuntimeError as error:
        console.print(error, markup=False)
        raise typer.Exit(2) from error

    typer.echo("\n".join(report(SIZES[size], [first, next_day])))
    if any(first.differences.values()) or any(next_day.differences.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
