"""Whether a work database still is what was published: of which run, and by which files of the project.

Every landing takes the note away, whoever lands (macros/landing): a refresh that then fails, or dbt by itself, leaves a
work database that is not what readers see.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from customer_tiering.publishing import errors_as_build_error

# What results depend on beside seeds and vars, which a publication keeps itself (rules.json).
PROJECT_FILES = ("dbt_project.yml", "macros/**/*.sql", "models/**/*.sql", "models/**/*.yml")
_IS_NOTED = "select 1 from duckdb_tables() where schema_name = 'builds' and table_name = $table"


@dataclass(frozen=True)
class WorkState:
    """What a work database is: the as-of and run date by which it was built, whether whole, and what was published of it.

    `published_run` and `project_digest` are None when it is not what was published. `reads_live_tables` says
    that raw tables are views of a schema, which may have changed since; `has_source_places`, that a mapping made them.
    """

    is_complete: bool
    as_of_date: date | None
    run_date: date
    published_run: str | None
    project_digest: str | None
    reads_live_tables: bool
    has_source_places: bool


def note_published(work: Path, run_id: str, project: Path) -> None:
    """Note in a work database that a run publishes it. Raises BuildError."""
    with (
        errors_as_build_error(f"noting in {work} what is published"),
        # as dbt's profile has it, see refreshing
        duckdb.connect(str(work), config={"storage_compatibility_version": "latest"}) as connection,
    ):
        if connection.execute(_IS_NOTED, {"table": "last_landing"}).fetchone():
            connection.execute(
                "update builds.last_landing set published_run = ?, project_digest = ?",
                [run_id, digest_of_project(project)],
            )


def read_state(connection: duckdb.DuckDBPyConnection) -> WorkState | None:
    """What a work database is; None when no landing of this release made it."""
    for table in ("last_build", "last_landing"):
        if not connection.execute(_IS_NOTED, {"table": table}).fetchone():
            return None
    [(is_complete, as_of)] = connection.execute(
        "select is_complete, as_of_date from builds.last_build"
    ).fetchall()
    [(run, digest, run_date)] = connection.execute(
        "select published_run, project_digest, run_date from builds.last_landing"
    ).fetchall()
    [(has_views, has_places)] = connection.execute(
        "select exists (from duckdb_views() where schema_name = 'raw' and view_name <> 'erased_ids'), "
        "exists (from duckdb_columns() where schema_name = 'raw' and column_name = 'source_place')"
    ).fetchall()
    return WorkState(is_complete, as_of, run_date, run, digest, has_views, has_places)


def digest_of_project(project: Path) -> str:
    """A digest of the files of a project by which models are built, seeds and vars given for a run aside."""
    digest = hashlib.sha256()
    for pattern in PROJECT_FILES:
        for path in sorted(project.glob(pattern)):
            digest.update(f"{path.relative_to(project)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
