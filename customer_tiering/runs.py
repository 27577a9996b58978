"""The run ledger: one row a refresh or rollback of a warehouse, kept for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

from customer_tiering.errors import BuildError

LEDGER = "runs.sqlite"


# What the table of runs and its columns mean.
DESCRIPTION = (
    "One row per run of this warehouse, refresh or rollback, up to the one that published this."
)
DESCRIPTIONS = {
    "run_id": "Name of the run: when it started, in UTC to the microsecond.",
    "kind": "refresh or rollback.",
    "status": "running, published, failed (it said why and ended) or interrupted (it was stopped, or ended "
    "without a word).",
    "stage": "Step that the run is in or ended in: preflight, build, audit or publish.",
    "started_at": "When the run started: UTC, ISO 8601 to the second.",
    "finished_at": "When the run ended: UTC, ISO 8601 to the second. NULL while it runs, or when it ended "
    "without a word.",
    "exit_code": "Exit code of the command, 0 when all was done. NULL when finished_at is.",
    "message": "What the exit code means, without names, figures or values. NULL when exit_code is.",
    "as_of_date": "As-of date of what was built, as ISO 8601. NULL when nothing was built, or without orders.",
    "rows_in": "Rows of all raw tables together. NULL when nothing was built.",
    "rows_staged": "Raw rows that were taken. NULL when nothing was built.",
    "rows_duplicate": "Raw rows left out for another row of the same key. NULL when nothing was built.",
    "rows_rejected": "Raw rows that were rejected. NULL when nothing was built.",
    "tests": "Data tests that passed. NULL when nothing was built.",
    "rules": "Rules of the run, named by short digests of its seeds, vars and mapping and by versions. NULL for a "
    "rollback, and for runs of earlier releases.",
    "options": "Options that decided what was computed or let through: --full, --accept-change. NULL without any.",
    "publication": "Run whose publication readers saw when this run had ended. NULL when there was none.",
}


@dataclass(frozen=True)
class Run:
    """One run; DESCRIPTIONS say what its fields mean when it is published. What is not known (yet) is None.

    Until then `message` is the whole sentence by which the run ended, or what it removed for an erasure.
    """

    run_id: str
    kind: str
    status: str
    stage: str
    started_at: str
    finished_at: str | None = None
    exit_code: int | None = None
    message: str | None = None
    as_of_date: str | None = None
    rows_in: int | None = None
    rows_staged: int | None = None
    rows_duplicate: int | None = None
    rows_rejected: int | None = None
    tests: int | None = None
    rules: str | None = None
    options: str | None = None
    publication: str | None = None


COLUMNS = tuple(field.name for field in fields(Run))


def column_types() -> dict[str, str]:
    """The SQL type of each column of the ledger, by names that DuckDB and SQLite both have."""
    return {
        name: "bigint" if int in get_args(kind) else "text"
        for name, kind in get_type_hints(Run).items()
    }


def now() -> str:
    """This moment in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def new_run_id() -> str:
    """A name for a run by which runs sort in time: when it started, to the microsecond.

    To be called under the warehouse's lock: then no two are alike.
    """
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ-%f}"


class Ledger:
    """The runs of one warehouse, in a SQLite file of its own: what a kill leaves is whole rows."""

    def __init__(self, warehouse: Path) -> None:
        self.path = warehouse / LEDGER

    def start(self, kind: str, seen: str | None = None, **known: str | None) -> Run:
        """Note that a run has begun; one that is still `running` ended without a word.

        To be called under the warehouse's lock: then nobody else is running. `seen` is the run
        whose publication readers see: the one that was cut off, if that was all it had left to do. `known` are
        further fields of the run.
        """
        run = Run(
            run_id=new_run_id(),
            kind=kind,
            status="running",
            stage="preflight",
            started_at=now(),
            **known,  # type: ignore[arg-type]
        )
        with self._connection() as connection:
            connection.execute(
                "update runs set publication = :seen, "
                "status = case run_id when :seen then 'published' else 'interrupted' end "
                "where status = 'running'",
                {"seen": seen},
            )
            marks = ", ".join("?" for _ in COLUMNS)
            connection.execute(
                f"insert into runs ({', '.join(COLUMNS)}) values ({marks})",
                list(asdict(run).values()),
            )
        return run

    def update(self, run: Run, **changes: Any) -> Run:
        """Note what has become of a run; gives it as it is now."""
        with self._connection() as connection:
            assignments = ", ".join(f"{name} = :{name}" for name in changes)
            connection.execute(
                f"update runs set {assignments} where run_id = :run_id",
                {**changes, "run_id": run.run_id},
            )
        return replace(run, **changes)

    def runs(self) -> list[Run]:
        """All runs, oldest first."""
        if not self.path.exists():
            return []
        with self._connection() as connection:
            rows = connection.execute(
                f"select {', '.join(COLUMNS)} from runs order by started_at, rowid"
            )
            return [Run(*row) for row in rows]

    def forget_messages(self) -> None:
        """Take away the messages of all runs, and their bytes: they may quote raw values."""
        with self._connection() as connection:
            connection.execute("pragma secure_delete = on")
            connection.execute("update runs set message = null where message is not null")
            connection.commit()
            connection.execute("vacuum")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are on the disk, or undone, when it is left."""
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
                columns = ", ".join(f"{name} {kind}" for name, kind in column_types().items())
                connection.execute(f"create table if not exists runs ({columns})")
                known = {name for _, name, *_ in connection.execute("pragma table_info(runs)")}
                for name, kind in column_types().items():
                    if name not in known:  # an earlier release made the table
                        connection.execute(f"alter table runs add column {name} {kind}")
                yield connection
        except sqlite3.Error as error:
            raise BuildError(f"the run ledger {self.path} cannot be used: {error}.") from error
