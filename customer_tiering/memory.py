"""How much DuckDB may hold in memory, and where it writes what does not fit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def limits(work: Path) -> dict[str, Any]:
    """The settings of a connection that reads or writes as much as a work database holds, as dbt's profile has them.

    What does not fit goes beside the work database, not where the command happens to run.
    """
    return {
        "memory_limit": os.environ.get("TIERING_MEMORY_LIMIT", "6GB"),
        "temp_directory": f"{work.resolve()}.tmp",
    }
