"""Whether a work database still is what was published: of which run, with which rows, and by which files of the project.

Every landing takes the note away, whoever lands (macros/landing): a refresh that then fails, or dbt by itself, leaves a
work database that is not what readers see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from customer_tiering.configuration import Settings
from customer_tiering.parts import contents_of, differing
from customer_tiering.publishing import MANIFEST, PUBLICATIONS, WORK, errors_as_build_error
from customer_tiering.republishing import CONTENTS

# What results depend on beside seeds and vars, which a publication keeps itself (rules.json).
PROJECT_FILES = ("dbt_project.yml", "macros/**/*.sql", "models/**/*.sql", "models/**/*.yml")
# What tests and audits beside the package's own files.
CHECK_FILES = ("tests/**/*.sql", "tests/expectations/**/*.json")
PACKAGE = Path(__file__).parent
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


def differing_period(warehouse: Path) -> tuple[str, str] | None:
    """A table and a period whose rows in the work database are not those that were published of it; None when all are.

    Only tables that are published by period are read, and none where nothing was published of it, or with another release
    of DuckDB, whose hashes may be others. Raises duckdb.Error when it cannot be read.
    """
    with duckdb.connect(str(warehouse / WORK), read_only=True) as connection:
        state = read_state(connection)
        if state is None or state.published_run is None:
            return None
        manifest = warehouse / PUBLICATIONS / state.published_run / MANIFEST
        try:
            said = json.loads(manifest.read_text(encoding="utf-8"))
            published, by = said[CONTENTS], said["published_by"]
            is_of_this_release = said["rules"]["code"]["DuckDB"] == duckdb.__version__
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not is_of_this_release:
            return None
        tables = [table for table in published if by.get(table.split(".")[1]) == "period"]
        found = contents_of(connection, "work", tables, by)
    differ = ((table, part) for table in tables for part in differing(published, found, table))
    return next(differ, None)


def digest_of_project(project: Path) -> str:
    """A digest of the files of a project by which models are built, seeds and vars given for a run aside."""
    return _digest_of_files(project, PROJECT_FILES)


def digest_of_checks(project: Path, settings: Settings) -> str:
    """A digest of what tests, audits and publishes: the project's tests, the package's own code and the vars of the audit."""
    given = settings.model_dump(mode="json").items()
    digests = (
        _digest_of_files(project, CHECK_FILES),
        _digest_of_files(PACKAGE, ("**/*.py", "sql/*.sql")),
        json.dumps({name: value for name, value in given if name.startswith("audit_")}),
    )
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _digest_of_files(folder: Path, patterns: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            digest.update(f"{path.relative_to(folder)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
