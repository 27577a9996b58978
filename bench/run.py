"""Measure the project's build against the hand-written baseline, and compare their tiers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from bench.generate import DATA, LAST_DAY, SIZES, generate

PROJECT = Path(__file__).parent.parent
# What the build is to stay within; at smaller sizes dbt's own start is most of the time.
TARGET_SIZE = "10m"
TARGET_RATIO = 3.0
TARGET_GIGABYTES = 8.0

# What both must agree on, with the type in which it is compared.
COMPARED = {
    "recency_days": "integer",
    "frequency": "integer",
    "monetary": "decimal(18, 2)",
    "r_score": "integer",
    "f_score": "integer",
    "m_score": "integer",
    "management_score": "decimal(18, 14)",
    "tier_rank": "integer",
    "change_type": "varchar",
}


@dataclass(frozen=True)
class Measured:
    """What one process, its children included, cost: seconds and gigabytes (10^9 bytes)."""

    wall_seconds: float
    cpu_seconds: float
    peak_gigabytes: float


def measure(command: list[str], log: Path, environment: dict[str, str]) -> Measured:
    """Run a command to its end and measure it.

    Args:
        command: the program and its arguments.
        log: file that receives what the command prints.
        environment: variables to add to this process's own.

    Raises:
        RuntimeError: the command failed; the message ends with the last lines of its log.
    """
    started = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_seconds = time.perf_counter() - started
    if process.returncode != 0:
        last_lines = "\n".join(log.read_text(encoding="utf-8").splitlines()[-30:])
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{last_lines}")
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return Measured(
        wall_seconds=wall_seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_gigabytes=usage.ru_maxrss * bytes_per_unit / 1e9,
    )


def measure_baseline(raw: Path, folder: Path) -> Measured:
    """Measure the hand-written script; its result is folder/baseline.duckdb."""
    command = [sys.executable, "-m", "bench.baseline", str(raw), str(folder / "baseline.duckdb")]
    return measure(
        [*command, "--as-of", LAST_DAY.isoformat()], folder / "baseline.log", environment={}
    )


def measure_build(raw: Path, folder: Path) -> Measured:
    """Measure a full dbt build without tests; its result is folder/work.duckdb.

    The raw tables are those of `raw`, laid out as a landing zone to which files are added.
    """
    (folder / "work.duckdb").unlink(missing_ok=True)
    landing_zone = folder / "raw"
    shutil.rmtree(landing_zone, ignore_errors=True)
    for file in raw.glob("*.parquet"):
        (landing_zone / file.stem).mkdir(parents=True)
        os.link(file, landing_zone / file.stem / "history.parquet")
    return _measure_dbt(landing_zone, folder, LAST_DAY)


def history_seconds(folder: Path) -> float:
    """Seconds of wall time that the last build took for marts.customer_periods and all it is made of.

    That is the part of a build which ends in what the hand-written script ends in, without the time
    that dbt itself takes to begin and end.
    """
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    needed, found = set(), ["model.customer_tiering.customer_periods"]
    while found:
        node = found.pop()
        if node not in needed:
            needed.add(node)
            found.extend(manifest["parent_map"].get(node, []))
    return sum(
        result["execution_time"]
        for result in results["results"]
        if result["unique_id"] in needed or result["unique_id"].startswith("operation.")
    )


def measure_next_day(folder: Path) -> Measured:
    """Measure the build of the day after, on top of what measure_build left.

    One file of orders is new: those of the day before, made the next day by the same customers.
    """
    orders = folder / "raw" / "orders"
    shift = "+ interval 1 day"
    columns = ("ordered_at", "cancelled_at", "returned_at", "updated_at")
    shifted = ", ".join(f"{column} {shift} as {column}" for column in columns)
    duckdb.sql(
        f"select * replace (order_id || 'n' as order_id, {shifted}) "
        f"from '{orders / 'history.parquet'}' where ordered_at::date = date '{LAST_DAY}'"
    ).write_parquet(str(orders / "next_day.parquet"))
    return _measure_dbt(folder / "raw", folder, LAST_DAY + timedelta(days=1))


def _measure_dbt(raw: Path, folder: Path, as_of_date: date) -> Measured:
    """Measure dbt; the project is parsed before, as it is for every run of a schedule but the first."""
    values = {
        "raw_path": str(raw),
        "as_of_date": as_of_date.isoformat(),
        "run_date": (LAST_DAY + timedelta(days=2)).isoformat(),
    }
    dbt = str(Path(sys.executable).parent / "dbt")
    project = [
        *("--vars", json.dumps(values)),
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(PROJECT / "profiles")),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
    ]
    without_tests = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    environment = {"TIERING_WAREHOUSE": str(folder)}
    measure([dbt, "parse", *project], folder / "parse.log", environment)
    return measure([dbt, "build", *without_tests, *project], folder / "dbt.log", environment)


def compare(folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Compare the baseline's history with marts.customer_periods, row by row.

    Returns:
        The rows of each side, and the differing rows of each compared column ("only in ..." counts
        rows that the other side lacks). Nothing but zeros when they agree.
    """
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in COMPARED.items())
    baseline = f"select customer_id, period_end, {columns} from baseline.history"
    build = (
        f"select customer_id, period_end, {columns} "
        "from (select * replace (coalesce(tier_rank, 0) as tier_rank) "
        "from work.marts.customer_periods)"
    )
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = '{folder / 'compare.tmp'}'")
        connection.execute(f"attach '{folder / 'baseline.duckdb'}' as baseline (read_only)")
        connection.execute(f"attach '{folder / 'work.duckdb'}' as work (read_only)")
        fingerprints = {
            side: connection.execute(
                f"select count(*), sum(hash(side_rows)) from ({query}) as side_rows"
            ).fetchone()
            for side, query in (("baseline", baseline), ("dbt build", build))
        }
        rows = {side: fingerprint[0] for side, fingerprint in fingerprints.items()}
        names = ["only in baseline", "only in dbt build", *COMPARED]
        if fingerprints["baseline"] == fingerprints["dbt build"]:
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
            f"from ({baseline}) as a full outer join ({build}) as b "
            "on a.customer_id = b.customer_id and a.period_end = b.period_end"
        ).fetchone()
    return rows, dict(zip(names, counts, strict=True))


def report(size: str, costs: dict[str, Measured], rows: dict[str, int], to_history: float) -> Table:
    """Lay out the measurements of all sides, with the ratio of each to the baseline."""
    table = Table(title=f"{SIZES[size].orders:,} orders, {SIZES[size].customers:,} customers")
    table.add_column("")
    for heading in ("wall time", "ratio", "CPU time", "peak memory", "history rows"):
        table.add_column(heading, justify="right")
    for side, cost in costs.items():
        table.add_row(
            side,
            f"{cost.wall_seconds:.1f} s",
            f"{cost.wall_seconds / costs['baseline'].wall_seconds:.2f}",
            f"{cost.cpu_seconds:.1f} s",
            f"{cost.peak_gigabytes:.2f} GB",
            f"{rows[side]:,}" if side in rows else "",
        )
        if side == "dbt build":
            table.add_row(
                "  to the history",
                f"{to_history:.1f} s",
                f"{to_history / costs['baseline'].wall_seconds:.2f}",
            )
    return table


def main(
    size: Annotated[str, typer.Argument(help=f"one of {', '.join(SIZES)}")] = "1m",
    seed: Annotated[int, typer.Option(help="another seed gives another shop")] = 1,
) -> None:
    """Measure a full build without tests against the baseline.

    Ends with 1 when their measures, scores or tiers differ and with 2 when one of them fails.
    """
    if size not in SIZES:
        raise typer.BadParameter(f"size is {size}; allowed: {', '.join(SIZES)}")
    console = Console()
    with console.status("raw tables"):
        raw = generate(size, seed)
    folder = DATA / f"{raw.name}-results"
    folder.mkdir(exist_ok=True)
    costs = {}
    for side, measure_side in (("baseline", measure_baseline), ("dbt build", measure_build)):
        with console.status(side):
            try:
                costs[side] = measure_side(raw, folder)
            except RuntimeError as error:
                console.print(f"{side}: {error}", markup=False)
                raise typer.Exit(2) from error
    to_history = history_seconds(folder)
    with console.status("comparing"):
        rows, differences = compare(folder)
    with console.status("the next day"):
        try:
            costs["the next day"] = measure_next_day(folder)
        except RuntimeError as error:
            console.print(f"the next day: {error}", markup=False)
            raise typer.Exit(2) from error

    console.print(report(size, costs, rows, to_history))
    if size == TARGET_SIZE:
        ratio = costs["dbt build"].wall_seconds / costs["baseline"].wall_seconds
        is_met = ratio <= TARGET_RATIO and costs["dbt build"].peak_gigabytes <= TARGET_GIGABYTES
        console.print(
            f"Target, at most {TARGET_RATIO:g} times the baseline and {TARGET_GIGABYTES:g} GB: "
            f"{'met' if is_met else 'missed'}."
        )
    if any(differences.values()):
        for name, count in differences.items():
            if count:
                console.print(f"[red]{name}: {count:,} rows differ[/red]")
        raise typer.Exit(1)
    console.print("Both give the same measures, scores and tiers: 0 rows differ.")


if __name__ == "__main__":
    typer.run(main)
