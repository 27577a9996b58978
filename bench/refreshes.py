"""Measure `tiering refresh` by part, RFM alone, and the hand-written script."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bench.cost import Cost, total
from bench.processes import PROJECT, Measured, measure

# After the last of the measured days. The same vars each time, as in a schedule: when one changes, dbt
# parses the project anew.
RUN_DATE = date(2026, 1, 2)
HISTORY = "model.customer_tiering.customer_periods"


@dataclass(frozen=True)
class Refresh:
    """What a refresh cost, as a whole and by part, and the models that the history is made of."""

    whole: Measured
    parts: dict[str, Cost]
    to_history: Cost


def measure_script(raw: Path, database: Path, as_of: date) -> Measured:
    """Measure the hand-written script, whose result is a database."""
    command = [sys.executable, "-m", "bench.baseline", str(raw), str(database)]
    return measure([*command, "--as-of", as_of.isoformat()], database.with_suffix(".log"))


def measure_refresh(raw: Path, warehouse: Path, memory_limit: str) -> Refresh:
    """Measure `tiering refresh`, which publishes into a warehouse.

    Args:
        raw: folder of the raw tables.
        warehouse: its folder; the work database in it is gone on from.
        memory_limit: what DuckDB may hold in memory, such as 6GB.
    """
    costs = warehouse.with_suffix(".json")
    command = [
        *(sys.executable, "-m", "bench.refresh", str(costs)),
        *("--raw", str(raw), "--warehouse", str(warehouse)),
        *("--vars", json.dumps({"run_date": RUN_DATE.isoformat()})),
    ]
    log = warehouse.with_suffix(".log")
    measured = measure(command, log, {"TIERING_MEMORY_LIMIT": memory_limit})
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


def measure_rfm_alone(raw: Path, warehouse: Path, memory_limit: str) -> tuple[Measured, Cost]:
    """Measure `dbt run --select +customer_rfm` into an empty warehouse, and its models."""
    warehouse.mkdir(parents=True)
    costs = warehouse / "costs.json"
    project_vars = {"raw_path": str(raw), "run_date": RUN_DATE.isoformat()}
    command = [
        *(sys.executable, "-m", "bench.nodes", str(costs), "build"),
        *("--select", "+customer_rfm", "--resource-type", "model", "--resource-type", "seed"),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "profiles")),
        *("--target-path", str(warehouse / "target"), "--log-path", str(warehouse / "logs")),
        *("--vars", json.dumps(project_vars)),
    ]
    environment = {"TIERING_WAREHOUSE": str(warehouse), "TIERING_MEMORY_LIMIT": memory_limit}
    measured = measure(command, warehouse / "rfm.log", environment)
    nodes = {
        name: Cost(**cost) for name, cost in json.loads(costs.read_text(encoding="utf-8")).items()
    }
    return measured, total(
        cost for node, cost in nodes.items() if node.split(".")[0] in ("model", "seed")
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
