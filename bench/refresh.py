"""Run `tiering refresh` as a schedule does, and note what its stages and dbt's nodes cost.

    python -m bench.refresh COSTS ARGUMENTS

It is the command line's own refresh; its functions are timed from outside.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.cost import Cost, peak_gigabytes, spent, total
from customer_tiering import building, publishing, refreshing
from customer_tiering.cli import app


class Stages:
    """What the stages of a refresh have cost, and this process's own peak memory by their ends."""

    def __init__(self) -> None:
        self.costs: dict[str, Cost] = {}
        self.peaks: dict[str, float] = {}

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, all calls of which are the stage."""

        @wraps(function)
        def run(*arguments: object, **named: object) -> Any:
            begun = spent()
            result = function(*arguments, **named)
            self.costs[stage] = total([self.costs.get(stage, Cost(0, 0)), spent() - begun])
            self.peaks[stage] = peak_gigabytes()
            return result

        return run

    def peak_gigabytes(self) -> float:
        """The most memory of this process and dbt's together; when dbt runs, this one waits."""
        with_dbt = self.peaks["dbt"] + peak_gigabytes(resource.RUSAGE_CHILDREN)
        return max(with_dbt, peak_gigabytes())


def time_stages(stages: Stages, nodes: Path) -> None:
    """Time the stages of refreshes in this process; dbt writes what its nodes cost to a file."""
    refreshing.build = stages.timed("dbt", refreshing.build)
    refreshing.audit = stages.timed("audit", refreshing.audit)
    publishing._write_database = stages.timed("database", publishing._write_database)
    publishing._write_parquet = stages.timed("Parquet", publishing._write_parquet)
    dbt_command = building.dbt_command

    def noting_nodes(*settings: Any) -> list[str]:
        python, _, _, *arguments = dbt_command(*settings)  # python -m dbt.cli.main build ...
        return [python, "-m", "bench.nodes", str(nodes), *arguments]

    building.dbt_command = noting_nodes


def main(file: str, *arguments: str) -> int:
    """Refresh and write the costs of stages and nodes, and the peak memory; gives the exit code."""
    stages = Stages()
    with TemporaryDirectory() as folder:
        nodes = Path(folder, "nodes.json")
        time_stages(stages, nodes)
        exit_code = app(["refresh", *arguments], standalone_mode=False) or 0
        if exit_code == 0:
            costs = {
                "stages": {stage: asdict(cost) for stage, cost in stages.costs.items()},
                "nodes": json.loads(nodes.read_text(encoding="utf-8")),
                "peak_gigabytes": stages.peak_gigabytes(),
            }
            Path(file).write_text(json.dumps(costs), encoding="utf-8")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
