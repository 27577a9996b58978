"""Runs `dbt build` as a process of its own (dbt in this one would keep DuckDB's lock)."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering.errors import (
    BuildError,
    LandingError,
    RawDataError,
    SourceLimitError,
    TieringError,
    VarError,
    WorkDatabaseError,
)
from customer_tiering.messages import without_values
from customer_tiering.parts import META
from customer_tiering.progress import Progress
from customer_tiering.publishing import DUCKDB, Description

# What the databases say of a sum that does not fit.
TOO_LARGE = re.compile(
    r"Casting value \S+ to type DECIMAL\([0-9, ]+\) failed|Overflow in (\w+ of DECIMAL|HUGEINT \w+)|"
    r"numeric field overflow|bigint out of range"
)
GATE = "test.customer_tiering.raw_tables_are_within_their_limits"
MESSAGE_LENGTH = 600  # characters of dbt's own message that are shown


@dataclass
class _Run:
    """What dbt's log has said so far."""

    total: int = 0
    finished: set[str] = field(default_factory=set)
    running: dict[str, str] = field(default_factory=dict)
    last_error: str = ""
    last_words: str = ""

    def read(self, line: str) -> None:
        """Take in one line of the log: a JSON event, or words from outside dbt's logger."""
        try:
            event = json.loads(line)
            data, info = event["data"], event["info"]
        except (ValueError, KeyError, TypeError):
            self.last_words = line.strip() or self.last_words
            return
        if info["level"] == "error":
            self.last_error = info["msg"].removeprefix("[ERROR]: ")
        if info["name"] == "ConcurrencyLine":
            self.total = data["node_count"]
        node = data.get("node_info") or {}
        if not self.total or node.get("resource_type") in (None, "", "operation"):
            return
        if info["name"] == "LogStartLine":
            self.running[node["unique_id"]] = node["node_name"]
        elif "index" in data:  # the line with which dbt reports a node done or skipped
            self.running.pop(node["unique_id"], None)
            self.finished.add(node["unique_id"])


# Unit tests prove the models, not the data: developers run them.
BUILD = ("build", "--exclude-resource-type", "unit_test")


def dbt_command(
    project_dir: Path,
    warehouse: Path,
    overrides: Mapping[str, object],
    words: Sequence[str] = BUILD,
    module: str = "dbt.cli.main",
) -> list[str]:
    """The dbt command line. All that dbt writes goes under the warehouse: two can build at once."""
    return [
        sys.executable,
        *("-m", module),
        *words,
        *("--project-dir", str(project_dir)),
        *("--profiles-dir", str(project_dir / "profiles")),
        # whatever DBT_TARGET says in the shell, as for metrics
        *(() if "--target" in words else ("--target", DUCKDB)),
        *("--target-path", str(warehouse / "target")),
        *("--log-path", str(warehouse / "logs")),
        *("--log-format", "json", "--no-use-colors"),
        *("--vars", json.dumps(overrides, ensure_ascii=False)),
    ]


@dataclass(frozen=True)
class Build:
    """What a build did: its nodes, the tests among them, and what dbt knows of the tables.

    That is their key columns and how they are published in parts by name, and what they mean by `schema.name`.
    """

    nodes: int
    tests: int
    keys: dict[str, list[str]]
    descriptions: dict[str, Description] = field(default_factory=dict)
    published_by: dict[str, str] = field(default_factory=dict)


def build(
    project_dir: Path,
    warehouse: Path,
    overrides: Mapping[str, object],
    progress: Progress,
    descriptors: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] | None = None,
    findings: Callable[[Path], list[str]] | None = None,
) -> Build:
    """Build and test all models into `warehouse`/work.duckdb.

    `overrides` are vars that differ from dbt_project.yml. How far it is goes to `progress`. dbt inherits
    file descriptors, such as those of a lock, gets the variables of `environment` beside its own, and ends
    when this process does. Raises BuildError with one sentence on the first model or test that failed, LandingError when dbt got to none,
    RawDataError on raw tables that cannot be landed, SourceLimitError on such as are beyond their limits, VarError on a var that dbt's own check refuses, WorkDatabaseError on a work database that
    this build cannot continue from. `command` is dbt's command line and `findings` reads what the gate found, when dbt
    builds elsewhere.
    """
    project_dir, warehouse = project_dir.resolve(), warehouse.resolve()
    results = warehouse / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    run = _Run()
    with (
        subprocess.Popen(
            command or dbt_command(project_dir, warehouse, overrides),
            cwd=project_dir,
            env={
                **os.environ,
                "TIERING_WAREHOUSE": str(warehouse),
                "TIERING_REFRESH": "true",
                "TIERING_SIMULATION": "",
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "PYTHONUTF8": "1",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            pass_fds=tuple(descriptors),
            preexec_fn=partial(_end_with_parent, os.getpid()),
        ) as process,
        ExitStack() as stage,
    ):
        try:
            stage.enter_context(progress.stage("parse"))
            is_building = False
            for line in process.stdout or ():
                run.read(line)
                if run.total and not is_building:
                    is_building = True
                    stage.close()
                    stage.enter_context(progress.stage("build"))
                before = "" if run.finished or not is_building else "landing raw tables"
                current = next(reversed(run.running.values()), before)
                progress.update(len(run.finished), run.total, current)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        if landing := _landing_failure(run):
            raise _landing_error(landing)(landing)
        if GATE in dict(_failed_nodes(results)):
            raise SourceLimitError((findings or source_findings)(warehouse))
        error = BuildError if run.total else LandingError
        raise error(_failure(run, results, warehouse / "logs" / "dbt.log"))
    manifest = (warehouse / "target" / "manifest.json").read_text(encoding="utf-8")
    nodes = json.loads(manifest)["nodes"]
    return Build(
        run.total, _count_tests(results), _keys(nodes), descriptions_of(nodes), published_by(nodes)
    )


def source_findings(warehouse: Path) -> list[str]:
    """What the gate found in the raw tables that were last built from, a sentence each, the largest first."""
    with duckdb.connect(str(warehouse / "work.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select message from intermediate.int_source_findings order by finding_number"
        ).fetchall()
    return [message for (message,) in found]


def _end_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends, as a kill of the parent cannot."""
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before it could be asked
            os._exit(1)


def _count_tests(results: Path) -> int:
    ran = json.loads(results.read_text(encoding="utf-8"))["results"]
    return sum(result["unique_id"].startswith("test.") for result in ran)


def _keys(nodes: Mapping[str, Any]) -> dict[str, list[str]]:
    """The columns of each table's primary_key test, by the table's name in the database.

    Seeds are left out, as they are not published and one may be called as a table is. Of two keys
    of a table it is always the same one, in whatever order dbt has written the manifest.
    """
    keys: dict[str, list[str]] = {}
    for _, node in sorted(nodes.items()):
        test = node.get("test_metadata") or {}
        tested = nodes.get(node.get("attached_node") or "")
        if not tested or tested["resource_type"] == "seed":
            continue
        if test.get("name") == "primary_key" and not node["config"].get("where"):
            keys.setdefault(tested["alias"], list(test["kwargs"]["columns"]))
    return keys


def descriptions_of(nodes: Mapping[str, Any]) -> dict[str, Description]:
    """What models and snapshots mean, as the YAML says it, by `schema.name` in the database."""
    return {
        f"{node['schema']}.{node['alias']}": Description(
            " ".join(node["description"].split()),
            {
                name: " ".join(column["description"].split())
                for name, column in node["columns"].items()
            },
        )
        for node in nodes.values()
        if node["resource_type"] in ("model", "snapshot")
    }


def published_by(nodes: Mapping[str, Any]) -> dict[str, str]:
    """How tables are published in parts, as their meta says it, by their names in the database."""
    return {
        node["alias"]: node["config"]["meta"][META]
        for node in nodes.values()
        if node["resource_type"] == "model" and META in node["config"].get("meta", {})
    }


def _landing_failure(run: _Run) -> str | None:
    """The sentence by which the landing of the raw tables stopped dbt; None if something else did."""
    lines = [line.strip() for line in run.last_error.strip().splitlines()]
    if lines[:1] == ["Encountered an error:"]:
        lines = lines[1:]
    # What the macros refuse; what DuckDB stops at, such as a full disk, is not theirs.
    if not lines or not re.match("Compilation Error in operation .*on-run-start", lines[0]):
        return None
    words = " ".join(takewhile(lambda line: not line.startswith("> "), lines[1:])).split()
    return " ".join(words).rstrip(".") + "."


def _landing_error(sentence: str) -> type[TieringError]:
    if sentence.startswith("dbt_project.yml, vars:"):
        return VarError
    return WorkDatabaseError if sentence.startswith("work.duckdb:") else RawDataError


def _failure(run: _Run, results: Path, log: Path) -> str:
    """One sentence on what failed first: a node of the run's results, or the run itself."""
    failed = list(_failed_nodes(results))
    if not failed:
        what = "dbt stopped"
        message = run.last_error or without_values(run.last_words) or "no message"
        more = ""
    else:
        unique_id, message = failed[0]
        kind, name = unique_id.split(".")[0], unique_id.split(".")[2]
        what = f"{kind} {name} failed"
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    message = " ".join(message.split()).rstrip(".")
    if too_large := TOO_LARGE.search(message):
        message = (
            "a total is larger than its column holds; allowed are totals below 10^16: report in a currency with "
            f"larger units (var reporting_currency), or correct the source ({too_large[0]})"
        )
    if len(message) > MESSAGE_LENGTH:
        message = f"{message[:MESSAGE_LENGTH]}..."
    return f"{what}{more}: {message} (the whole log: {log})."


def _failed_nodes(results: Path) -> Iterator[tuple[str, str]]:
    """(unique_id, message) of each failed node, in the order in which they failed."""
    with suppress(FileNotFoundError, ValueError):
        for result in json.loads(results.read_text(encoding="utf-8"))["results"]:
            if result["status"] in ("error", "fail", "runtime error", "partial success"):
                yield result["unique_id"], result["message"] or "no message"
