"""The project's own landing macros, run any number of times in one dbt command: some tenths of a second each.

dbt takes seconds to start and to read the project; what a landing makes of raw tables does not depend on that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from unittest import mock

from dbt_in_process import dbt, parsed_project

READS_FILES = re.compile(
    r'\s*create (?:or replace )?table (?:"raw"\."(\w+)"|builds\.new_rows) as', re.IGNORECASE
)


class Landings:
    """What a test does within one dbt command."""

    def __init__(self, task: Any, adapter: Any) -> None:
        self._task = task
        self._adapter = adapter
        self.when_read: Callable[[], None] = lambda: None
        """Is called whenever rows of files have been read, before anybody looks at the files again."""

    def land(self, **project_vars: object) -> None:
        """Land the raw tables for some vars, on top of the last landing that succeeded.

        That one counts as part of a whole build that ended well. Raises what dbt raises.
        """
        config, execute = self._task.config, self._adapter.execute
        for given in (config.cli_vars, config.args.vars):
            given.clear()
            given.update({"run_date": "2026-01-31", **project_vars})

        def execute_and_tell(sql: str, *arguments: Any, **options: Any) -> Any:
            done = execute(sql, *arguments, **options)
            if READS_FILES.match(sql) and "landed_from_file" in sql:
                self.when_read()
            return done

        with (
            self._adapter.connection_named("landing"),
            mock.patch.object(self._adapter, "execute", execute_and_tell),
        ):
            self._adapter.clear_transaction()
            self._adapter.execute_macro(
                "land_raw_tables", project="customer_tiering", macro_resolver=self._task.manifest
            )
            execute("update builds.last_build set is_complete = true")

    def take_files_of(self, project: Path) -> None:
        """Let the files by which a build is known be those of another folder."""
        for node in self._task.manifest.nodes.values():
            if hasattr(node, "root_path"):
                node.root_path = str(project)
        self._task.manifest.build_flat_graph()

    def replace_macro(self, name: str, code: str) -> None:
        """Let the project have another macro of a name."""
        self._task.manifest.macros[f"macro.customer_tiering.{name}"].macro_sql = code

    def execute(self, statement: str) -> None:
        """Run SQL as a model's is run, and read what it gives. Raises what dbt raises."""
        with self._adapter.connection_named("landing"):
            self._adapter.execute(statement, fetch=True)

    def sql(self, statement: str) -> list[tuple]:
        """Run SQL in the work database; gives its rows as texts."""
        with self._adapter.connection_named("landing"):
            cursor = self._adapter.connections.get_thread_connection().handle.cursor()
            rows = cursor.execute(statement).fetchall()
        return [tuple(None if value is None else str(value) for value in row) for row in rows]


def landings(
    warehouse: Path,
    steps: Callable[[Landings], None],
    tables: Collection[str] = (),
    log_level: str = "none",
) -> None:
    """Do the steps in one dbt command on a warehouse's work.duckdb; of some of the raw tables, or all.

    dbt's log, of a level, is in the warehouse.
    """
    from dbt.adapters.factory import get_adapter
    from dbt.task.run_operation import RunOperationTask

    def run(task: Any, *_: object) -> None:
        sources = task.manifest.sources
        for unique_id, source in list(sources.items()):
            if tables and source.name not in tables:
                del sources[unique_id]
        task.manifest.build_flat_graph()
        steps(Landings(task, get_adapter(task.config)))

    with mock.patch.object(RunOperationTask, "_run_unsafe", run):
        dbt(
            warehouse,
            *("--log-level-file", log_level),
            *("run-operation", "land_raw_tables", "--vars", "{run_date: 2026-01-31}"),
            parsed=parsed_project(),
        )
