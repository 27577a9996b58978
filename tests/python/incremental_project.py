"""A build on disk that goes on from the last one, without dbt: a second or two where dbt takes twenty.

Nothing is landed: raw rows are given. What dbt's macros decide before a build and note after it is done
here by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
from compiled_project import CompiledProject, RawTables, end_build

from customer_tiering.errors import WorkDatabaseError


@dataclass(frozen=True)
class IncrementalProject:
    """A project compiled to be incremental, that builds in a database file."""

    project: CompiledProject

    def build(self, work: Path, rows: RawTables, basis: str, after: Callable[[int], None]) -> None:
        """Build on top of what the last build left; ``after`` hears how many models have run.

        Raises WorkDatabaseError as dbt's landing does when the last build was by another basis, or was not
        ended.
        """
        with duckdb.connect(str(work)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            last = connection.execute(
                "select 1 from duckdb_tables() "
                "where schema_name = 'builds' and table_name = 'last_build'"
            ).fetchone()
            if last:
                found = connection.execute("select basis, is_complete from builds.last_build")
                if found.fetchone() != (basis, True):
                    raise WorkDatabaseError("work.duckdb: found one that cannot be gone on from.")
            else:
                self.project.begin(connection)
            connection.execute(
                "update builds.last_build set basis = $1, is_complete = false", [basis]
            )
            connection.execute("begin")
            self.project.land(connection, rows)
            after(0)
            self.project.run(connection, goes_on=bool(last), after=after)
            end_build(connection)
            connection.execute("commit")
