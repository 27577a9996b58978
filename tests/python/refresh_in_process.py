"""A refresh in the process of the tests, without the data tests and the audit, which write nothing of what it publishes.

It costs half of what it does by the command line: dbt is loaded once, and finds the project parsed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from cli_without_audit import pass_audit
from dbt_in_process import dbt, parsed_project
from made_once import PROJECT
from rich.console import Console

from customer_tiering import building, refreshing
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import WorkDatabaseError


def build_in_process(
    _project: Path,
    warehouse: Path,
    overrides: dict[str, object],
    _console: Console,
    _held: list[int],
    environment: dict[str, str],
) -> building.Build:
    """Build with dbt as ``building.build`` does, without a log."""
    with mock.patch.dict(os.environ, {**environment, "TIERING_REFRESH": "true"}):
        try:
            dbt(
                warehouse,
                *("build", "--exclude-resource-type", "unit_test", "test"),
                *("--vars", json.dumps(overrides)),
                parsed=parsed_project(),
            )
        except RuntimeError as error:
            if "work.duckdb: found one that this build cannot continue from" not in str(error):
                raise
            raise WorkDatabaseError(str(error)) from None
    return building.Build(nodes=0, tests=0, keys={})


def refresh_in_process(
    raw: Path,
    warehouse: Path,
    project_vars: dict[str, object],
    build: Callable[..., building.Build] = build_in_process,
    audit: Callable[..., object] = pass_audit,
) -> list[str]:
    """Refresh a warehouse; gives what is noted for people. Raises what a refresh raises."""
    notes: list[str] = []
    configuration = load_configuration(PROJECT, {**project_vars, "raw_path": str(raw)})
    with (
        mock.patch.object(refreshing, "build", build),
        mock.patch.object(refreshing, "audit", audit),
    ):
        console = Console(quiet=True)
        refreshing.Refresh(PROJECT, configuration, warehouse, console, notes.append).run()
    return notes
