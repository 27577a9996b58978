"""Run dbt as its command line does, and note what each node costs.

    python -m bench.nodes COSTS ARGUMENTS

dbt itself notes wall time alone. One node runs at a time (profiles/profiles.yml), so what the
process spends meanwhile is the node's.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

from bench.cost import Cost, spent

ENDS = ("NodeFinished", "LogHookEndLine")


class Nodes:
    """The costs of nodes, from the first event of dbt's that names one to that of its end."""

    def __init__(self) -> None:
        self.begun: dict[str, Cost] = {}
        self.costs: dict[str, Cost] = {}

    def note(self, event: EventMsg) -> None:
        """Take in an event."""
        node = getattr(event.data, "node_info", None)
        if not node or not node.unique_id or node.unique_id in self.costs:
            return
        begun = self.begun.setdefault(node.unique_id, spent())
        if event.info.name in ENDS:
            self.costs[node.unique_id] = spent() - begun


def main(file: str, *arguments: str) -> int:
    """Run dbt and write the costs by unique_id; gives the exit code."""
    nodes = Nodes()
    succeeded = dbtRunner(callbacks=[nodes.note]).invoke(list(arguments)).success
    costs = {unique_id: asdict(cost) for unique_id, cost in nodes.costs.items()}
    Path(file).write_text(json.dumps(costs), encoding="utf-8")
    return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
