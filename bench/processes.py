"""Processes of their own: what one costs, and functions that must not weigh on those measured."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

from bench.cost import MAXRSS_BYTES, Cost

PROJECT = Path(__file__).parent.parent

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Measured:
    """What one process, its children included, cost; gigabytes are 10^9 bytes."""

    cost: Cost
    peak_gigabytes: float


def measure(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run a command to its end and measure it; its peak memory is that of its largest process.

    Args:
        command: the program and its arguments.
        log: file that receives what the command prints.
        environment: what is added to this process's own.

    Raises:
        RuntimeError: the command failed; the message ends with the last lines of its log.
    """
    started = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_seconds = time.perf_counter() - started
    if process.returncode != 0:
        last_lines = "\n".join(log.read_text(encoding="utf-8").splitlines()[-30:])
        raise RuntimeError(f"{command[2]} ended with {process.returncode}:\n{last_lines}")
    return Measured(
        Cost(wall_seconds, usage.ru_utime + usage.ru_stime), usage.ru_maxrss * MAXRSS_BYTES / 1e9
    )


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
