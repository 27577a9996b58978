"""One refresh as a process of its own, which a test can have killed wherever it wants.

``python refresh_process.py ORDER`` carries out an order, written as JSON. The refresh is the real one
but for the audit, which has tests of its own; it builds with dbt, without its data tests, or with
an ``IncrementalProject``. dbt finds the project parsed already, and writes no log: it is long.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb
from cli_without_audit import find_parsed, pass_audit, pass_overview
from made_once import PROJECT
from rich.console import Console

from customer_tiering import building, erasures, publishing, refreshing, republishing
from customer_tiering.auditing import AuditSummary
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import BuildError, TieringError

# Where a refresh is killed, in the order in which it gets there; "failure" kills the build alone.
BEFORE_IT_IS_SEEN = ("build", "failure", "audit", "rows", "links", "copies", "rename")
WHEN_IT_IS_SEEN = ("seen", "traces", "tidy")


@dataclass(frozen=True)
class Order:
    """What to refresh, and at which stage the process is killed, if at any.

    ``nodes`` is how many models are built when a build is killed. ``build`` is a file with a pickled
    ``StandInBuild``; without one dbt builds.
    """

    raw: str
    warehouse: str
    project_vars: dict[str, object]
    kill_at: str | None = None
    nodes: int = 0
    build: str | None = None

    def command(self) -> list[str]:
        return [sys.executable, __file__, json.dumps(asdict(self))]


@dataclass(frozen=True)
class StandInBuild:
    """A build of models alone, over rows as they are to be landed. ``basis`` is what it builds by."""

    project: object
    rows: dict[str, list[dict]]
    basis: str
    erased_ids: list[str]
    keys: dict[str, list[str]] = field(default_factory=dict)
    published_by: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, warehouse: Path, environment: dict[str, str], after: Callable[[int], None]
    ) -> None:
        if self.erased_ids:
            with duckdb.connect() as connection:
                connection.execute("create table erased (customer_id varchar)")
                connection.executemany(
                    "insert into erased values (?)", [[one] for one in self.erased_ids]
                )
                connection.table("erased").write_parquet(environment[erasures.ERASED_IDS])
        self.project.build(warehouse / publishing.WORK, self.rows, self.basis, after)


def end(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def carry_out(order: Order) -> int:
    """Refresh; gives the exit code of `tiering refresh`."""
    refreshing.audit = _audit(order)
    refreshing.write_overview = pass_overview
    if order.build:
        refreshing.build = _stand_in(order)
    else:
        _prepare_dbt(order)
    _prepare_publishing(order)
    configuration = load_configuration(
        PROJECT, {**order.project_vars, "raw_path": str(Path(order.raw).resolve())}
    )
    console = Console(quiet=True)
    warehouse = Path(order.warehouse)
    try:
        refreshing.Refresh(PROJECT, configuration, warehouse, console, lambda _: None).run()
    except TieringError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


def _audit(order: Order) -> Callable[..., AuditSummary]:
    def audit(*arguments: object) -> AuditSummary:
        if order.kill_at == "audit":
            end()
        return pass_audit(*arguments)

    return audit


def _stand_in(order: Order) -> Callable[..., building.Build]:
    stand_in: StandInBuild = pickle.loads(Path(order.build).read_bytes())

    def after(nodes: int) -> None:
        if nodes >= order.nodes and order.kill_at == "build":
            end()
        if nodes >= order.nodes and order.kill_at == "failure":
            raise BuildError("the build failed, as it was told to.")

    def build(_project, warehouse, _vars, _console, _descriptors, environment) -> building.Build:
        stand_in(warehouse, environment, after)
        return building.Build(
            nodes=1, tests=0, keys=stand_in.keys, published_by=stand_in.published_by
        )

    return build


def _prepare_dbt(order: Order) -> None:
    os.environ["DBT_LOG_LEVEL_FILE"] = "none"
    find_parsed()
    command, read, popen = building.dbt_command, building._Run.read, building.subprocess.Popen
    processes = []

    def dbt_command(*arguments: object) -> list[str]:
        words = command(*arguments)
        words.insert(words.index("unit_test") + 1, "test")
        return words

    def started(*arguments: object, **options: object):
        processes.append(popen(*arguments, **options))
        return processes[-1]

    def read_line(run: building._Run, line: str) -> None:
        read(run, line)
        if len(run.finished) >= order.nodes and order.kill_at == "build":
            end()
        if len(run.finished) >= order.nodes and order.kill_at == "failure":
            processes[-1].kill()

    building.dbt_command = dbt_command
    building._Run.read = read_line
    building.subprocess.Popen = started


def _prepare_publishing(order: Order) -> None:
    point_to, tidy, remove = publishing.point_to, refreshing.tidy, refreshing.remove_publications
    tidied = []

    def seen(*arguments: object) -> None:
        point_to(*arguments)
        end()

    def remove_some(holding: list[Path]) -> None:
        remove(holding[:1])
        end()

    def tidy_once(*arguments: object) -> None:
        if tidied:
            end()
        tidied.append(True)
        tidy(*arguments)

    # small companies differ by more every day than large ones
    republishing.LARGEST_SHARE = 1.0
    write, link = publishing.replace_what_differs, publishing.link_or_copy
    if order.kill_at == "rows":
        publishing.replace_what_differs = lambda *given: (write(*given), end())
    elif order.kill_at == "links":
        publishing.link_or_copy = lambda *given: (link(*given), end())
    elif order.kill_at == "copies":
        publishing._write_manifest = end
    elif order.kill_at == "rename":
        publishing.point_to = end
    elif order.kill_at == "seen":
        publishing.point_to = seen
    elif order.kill_at == "traces":
        refreshing.remove_publications = remove_some
    elif order.kill_at == "tidy":
        refreshing.tidy = tidy_once


if __name__ == "__main__":
    sys.exit(carry_out(Order(**json.loads(sys.argv[1]))))
