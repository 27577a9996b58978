"""What has been measured, and the file of it from which docs/benchmarks.md is written."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from bench.comparing import Comparison
from bench.processes import Measured
from bench.refreshes import Refresh
from bench.rfm import Peer

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Day:
    """What one day's refresh cost beside the script, by which it was then compared.

    `new_rows` are the rows that had arrived since the refresh before, by raw table.
    """

    refresh: Refresh
    new_rows: dict[str, int]
    script: Measured | None
    comparison: Comparison | None


@dataclass(frozen=True)
class Results:
    """One run of the benchmark: the shop, the machine, the days by name, and the peers."""

    size: str
    closed_periods: int
    memory_limit: str
    machine: str
    note: str
    raw_rows: dict[str, int]
    days: dict[str, Day] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str]:
        """What another run replaces these results by."""
        return self.size, self.closed_periods, self.memory_limit


_FILE = TypeAdapter(list[Results])


def machine() -> str:
    """The machine and the versions that were measured, in one sentence."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = [f"{name} {version(name)}" for name in ("dbt-core", "dbt-duckdb", "duckdb")]
    return (
        f"{os.cpu_count()} cores, {gigabytes:.0f} GB of memory; "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def read(file: Path = RESULTS) -> list[Results]:
    """The results that are kept, by size, age and limit."""
    return _FILE.validate_json(file.read_bytes()) if file.exists() else []


def keep(results: Results, file: Path = RESULTS) -> None:
    """Keep results in place of those of the same shop and limit."""
    others = [other for other in read(file) if other.key != results.key]
    kept = sorted([*others, results], key=lambda one: (one.raw_rows["orders"], one.key))
    file.write_bytes(_FILE.dump_json(kept, indent=1) + b"\n")
