"""A simulation, step by step: check, copy, build what decides tiers under both configurations, compare."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from customer_tiering.building import build, dbt_command
from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.memory import limits
from customer_tiering.permissions import private_files
from customer_tiering.progress import Progress
from customer_tiering.published_work import WorkState, digest_of_project, read_state
from customer_tiering.publishing import (
    DUCKDB,
    PUBLICATION,
    WORK,
    current_publication,
    errors_as_build_error,
    target_of,
)
from customer_tiering.queries import query
from customer_tiering.quoting import identifier
from customer_tiering.refreshing import ending_in_order
from customer_tiering.rules import FILE as RULES
from customer_tiering.rules import Rules, read_rules
from customer_tiering.simulating.configuring import (
    READ_BY_NO_MODEL,
    Simulated,
    changed_configuration,
    published_configuration,
)
from customer_tiering.simulating.copying import check_out, copy_work, simulation_folder
from customer_tiering.simulating.outcome import Basis, Outcome, read_outcome, write_moves

# The models that say what is compared; what they read is built with them.
DECIDING = ("int_current_scores", "int_current_tiers", "int_lifecycle_stages")
# What a copy holds that no model of these reads: its room is for what is built anew.
NOT_READ = ("marts", "quality", "restricted", "history", "last_publication")
Build = Callable[..., object]


@dataclass(frozen=True)
class Request:
    """What is to be simulated: other vars, seeds of a folder, the date as of which, and the file of the moves."""

    overrides: Mapping[str, Any]
    seeds: Path | None = None
    as_of: str | None = None
    out: Path | None = None


def simulate(
    project: Path, warehouse: Path, request: Request, console: Console, run: Build = build
) -> Outcome:
    """What the configuration of a request would do to the customers of a warehouse, beside the published one.

    All is done in a folder of the warehouse that is removed in the end; nothing else in it is written. Progress goes to
    `console`. Raises a TieringError.
    """
    check_out(request.out)
    publication, rules = _publication(warehouse)
    with (
        private_files(),
        ending_in_order(),
        simulation_folder(warehouse) as (folder, descriptors),
    ):
        dates = {"as_of_date": request.as_of} if request.as_of else {}
        before = published_configuration(project, folder / "published", rules, dates)
        after = changed_configuration(
            before, folder / "simulated", request.overrides, request.seeds
        )
        progress = Progress(console)
        with progress.stage("copy"):
            work = copy_work(warehouse, folder, before.settings)
            state = _state(work, warehouse)
        _check_as_of(request.as_of, state)
        basis = _basis(request.as_of, state, publication, project)
        copy = _Copy(folder, state, request.as_of, progress, descriptors, run)
        copy.clear()
        if basis is not Basis.PUBLICATION:
            copy.build(before, None)
        copy.keep("before")
        if changed := _changed_seeds(before, after):
            copy.build(after, changed if before.vars() == after.vars() else None)
        elif before.vars() != after.vars():
            copy.build(after, None)
        copy.keep("after")
        with errors_as_build_error("the comparison"), duckdb.connect(str(work)) as connection:
            outcome = read_outcome(connection, before, after, basis, publication.name)
            if request.out:
                write_moves(connection, request.out)
    return outcome


def unpublished_seeds(project: Path, warehouse: Path, given: Path | None) -> list[str]:
    """The names of the project's seeds that differ from those of the publication, and are not given to try."""
    _, rules = _publication(warehouse)
    texts = {
        path.name: path.read_text(encoding="utf-8-sig")
        for path in (project / "seeds").glob("*.csv")
    }
    return sorted(
        name
        for name, text in texts.items()
        if rules.seeds.get(name, text) != text and not (given and (given / name).exists())
    )


def _publication(warehouse: Path) -> tuple[Path, Rules]:
    """The publication that readers see, and its rules. Raises SourceError."""
    publication = current_publication(warehouse)
    if publication is None:
        allowed = "a warehouse that `tiering refresh` has published"
        raise SourceError(str(warehouse / PUBLICATION), "no publication", allowed)
    if (target := target_of(warehouse)) != DUCKDB:
        found = f"a publication that was built by {target}"
        allowed = (
            "one that was built by DuckDB, as a simulation works on a copy of its work database"
        )
        raise SourceError(str(warehouse), found, allowed)
    rules = read_rules(publication)
    if rules is None:
        allowed = "a publication that says by which rules it was made: refresh once"
        raise SourceError(str(publication), f"no readable {RULES}", allowed)
    return publication, rules


def _state(work: Path, warehouse: Path) -> WorkState:
    """What the copied work database is. Raises SourceError when it is not what a whole build left."""
    with errors_as_build_error("reading the copy"), duckdb.connect(str(work)) as connection:
        state = read_state(connection)
    allowed = "what a whole build of this release left: refresh first"
    if state is None:
        raise SourceError(str(warehouse / WORK), "what an earlier release built", allowed)
    if not state.is_complete:
        found = "a build that failed, was cut off or was one of a part of the project"
        raise SourceError(str(warehouse / WORK), found, allowed)
    return state


def _check_as_of(as_of: str | None, state: WorkState) -> None:
    """Raise ConfigurationError at a date after the run's, of which nothing is known."""
    if as_of not in (None, "latest", "yesterday") and date.fromisoformat(as_of) > state.run_date:
        allowed = f"{state.run_date}, the date of the last run, or earlier"
        raise ConfigurationError(f"{COMMAND_LINE}, --as-of", as_of, allowed)


def _basis(as_of: str | None, state: WorkState, publication: Path, project: Path) -> Basis:
    """What the simulation is compared with."""
    if as_of is not None and as_of != str(state.as_of_date):
        return Basis.OTHER_DATE
    if state.published_run != publication.name or state.reads_live_tables:
        return Basis.NOT_PUBLISHED
    if state.project_digest != digest_of_project(project):
        return Basis.OTHER_PROJECT
    return Basis.PUBLICATION


def _changed_seeds(before: Simulated, after: Simulated) -> list[str]:
    """The seeds whose change may move somebody."""
    texts = before.seeds()
    return [
        name
        for name, text in after.seeds().items()
        if text != texts[name] and name not in READ_BY_NO_MODEL
    ]


class _Copy:
    """The copy of a work database: what is built in it, and what of it is kept to compare."""

    def __init__(
        self,
        folder: Path,
        state: WorkState,
        as_of: str | None,
        progress: Progress,
        descriptors: Sequence[int],
        run: Build,
    ) -> None:
        self.folder, self.state, self.progress = folder, state, progress
        self.descriptors, self.run = descriptors, run
        as_of_last = state.as_of_date.isoformat() if state.as_of_date else "latest"
        self.vars = {
            "as_of_date": as_of or as_of_last,
            "run_date": state.run_date.isoformat(),
            # whether there was one decides a column of what is landed
            "mapping": "as landed" if state.has_source_places else "",
        }

    def clear(self) -> None:
        """Make room."""
        with self._connected() as connection:
            for schema in NOT_READ:
                connection.execute(f"drop schema if exists {identifier(schema)} cascade")

    def build(self, simulated: Simulated, changed: Sequence[str] | None) -> None:
        """Build what decides under a configuration: all of it, or what the changed seeds lead to.

        A table that a refresh makes of the periods that it computes holds these alone, so that it is built anew too.
        """
        selected = (
            [f"+{model}" for model in DECIDING]
            if changed is None
            else [
                f"{first}+,+{model}"
                for first in ("int_first_change", *changed)
                for model in DECIDING
            ]
        )
        overrides = {**simulated.configuration.overrides, **self.vars}
        # what dbt has parsed is of the other project
        shutil.rmtree(self.folder / "target", ignore_errors=True)
        words = ("build", "--select", *selected, "--exclude-resource-type", "unit_test", "test")
        self.run(
            simulated.project,
            self.folder,
            overrides,
            self.progress,
            self.descriptors,
            {"TIERING_SIMULATION": "true", "TIERING_REFRESH": ""},
            dbt_command(simulated.project, self.folder, overrides, words),
        )

    def keep(self, name: str) -> None:
        """Keep what is decided of each customer as the table simulation.`name`."""
        with self._connected() as connection:
            connection.execute("create schema if not exists simulation")
            connection.execute(
                f"create table simulation.{identifier(name)} as {query('simulated_customers')}"
            )
            if name == "before":
                connection.execute(
                    "create table simulation.dates as select as_of_date from intermediate.int_as_of"
                )

    def _connected(self) -> duckdb.DuckDBPyConnection:
        # as dbt's profile has it
        work = self.folder / WORK
        config = {"storage_compatibility_version": "latest", **limits(work)}
        return duckdb.connect(str(work), config=config)
