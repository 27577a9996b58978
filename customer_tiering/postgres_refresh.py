"""A refresh that builds in PostgreSQL: the steps, exit codes and ledger of the one that builds in DuckDB.

Raw tables are in a schema of the database. Files are landed by DuckDB, as for a warehouse that it builds, and copied into such one.
What dbt has built there is copied into work.duckdb, so that it is audited, published as files and reported on as
any other. It is published twice: in the database, where its schemas change their names in one transaction, then in the
folder. A run that dies between the two is repaired by the next, which shows in the folder what the database shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from customer_tiering.auditing import SUITES
from customer_tiering.building import BUILD, Build, build, dbt_command
from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.erasures import Erasures, digest_of_masking
from customer_tiering.errors import BuildError, ConfigurationError, SourceError
from customer_tiering.mappings import MAPPING
from customer_tiering.postgres import connected
from customer_tiering.postgres_landing import (
    LANDED,
    LANDED_FILES,
    check,
    copied,
    forget,
    land,
    remove_copies,
)
from customer_tiering.postgres_publishing import PUBLISHED, Database
from customer_tiering.pseudonyms import KEY
from customer_tiering.publishing import (
    PUBLICATIONS,
    WORK,
    Description,
    current_publication,
    finish,
    point_to,
    publications,
)
from customer_tiering.refreshing import Refresh, landing_notes, start_afresh
from customer_tiering.refreshing import rollback as roll_back
from customer_tiering.runs import Ledger, Run

POSTGRES = "postgres"
DBT = "customer_tiering.dbt_on_postgres"
# What the messages after a build and its summary read, beside what is published.
NOTED = {("builds", "last_build"), ("builds", "landing_notes")}


class PostgresRefresh(Refresh):
    """A refresh of a warehouse whose models are built in the PostgreSQL database that the environment names."""

    target = POSTGRES

    def run(self) -> None:
        """Build, audit and publish. Raises a TieringError, and then the old publication stands."""
        with ExitStack() as self._open:
            super().run()

    def _preflight(self, ledger: Ledger) -> None:
        """What can be known to be wrong before anything is built; the database is locked from here on."""
        self._database = Database(self._open.enter_context(connected()))
        self._database.lock()
        self._database.check(self.configuration.settings.raw_schema)
        if self._raw_folder():
            check(self._database)
        repair(self.warehouse, self._database, ledger)
        super()._preflight(ledger)

    def _prepare_work(self, ledger: Ledger) -> None:
        self._database.prepare(self.from_scratch)
        remove_copies(self._database)

    def _build(self, lock: list[int], erased: Path) -> Build:
        """Build with dbt in the database; copy what it built, and which ids are erased."""
        with self._raw_tables(lock, erased) as (overrides, landed):
            self._dbt(
                ("seed",), lock, overrides, landed
            )  # the landing reads seeds, before a build makes them
            try:
                built = self._dbt(BUILD, lock, overrides, landed)
                # a later session finds the functions that views call where the build has put them
                with connected() as connection:
                    later = Database(connection)
                    later.hand_over_erased_ids(erased)
                    start_afresh(self.warehouse)
                    later.mirror(self.warehouse / WORK, NOTED | self._audited())
            finally:
                with suppress(BuildError):  # what went wrong first is what is reported
                    self._database.let_go_of_raw_tables()
        return replace(built, descriptions=_under_published_names(built.descriptions))

    @contextmanager
    def _raw_tables(
        self, lock: list[int], erased: Path
    ) -> Iterator[tuple[Mapping[str, object], str]]:
        """Have the raw tables in a schema; gives the vars for dbt, and what it is told of landed files."""
        overrides = self.configuration.overrides
        if not self._raw_folder():
            yield overrides, ""
            return
        start_afresh(self.warehouse)
        super()._build(lock, erased)
        for note in landing_notes(self.warehouse / WORK):
            self.note(note)
        is_keyed = self.configuration.settings.pseudonymise_ids
        forget(self._database, erased, os.environ[KEY] if is_keyed else None)
        with copied(self._database, self.warehouse / WORK):
            yield {**overrides, "raw_schema": LANDED}, digest_of_masking(self.warehouse, erased)

    def _run_dbt(self, lock: list[int], environment: dict[str, str]) -> Build:
        """Land files in DuckDB."""
        overrides = self.configuration.overrides
        return land(self.project, self.warehouse, overrides, self.progress, lock, environment)

    def _dbt(
        self, words: Sequence[str], lock: list[int], overrides: Mapping[str, object], landed: str
    ) -> Build:
        project, warehouse = self.project.resolve(), self.warehouse.resolve()
        return build(
            project,
            warehouse,
            overrides,
            self.progress,
            lock,
            # from a state that a build cannot continue from it begins anew, in the same database
            {
                "TIERING_REFRESH": "",
                LANDED_FILES: landed,
                **self._mapping(),
                **self._pseudonym_key(),
            },
            dbt_command(project, warehouse, overrides, (*words, "--target", POSTGRES), DBT),
            lambda _: self._database.source_findings(),
        )

    def _mapping(self) -> Mapping[str, str]:
        """The environment that gives dbt the mapping: PostgreSQL cannot read its files."""
        mapping = self.configuration.mapping
        return {MAPPING: mapping.as_json()} if mapping else {}

    def _pseudonym_key(self) -> Mapping[str, str]:
        """The environment that gives sessions the key: it is in no SQL text, and with that in no log."""
        if not self.configuration.settings.pseudonymise_ids:
            return {}
        key = os.environ[KEY].replace("\\", "\\\\").replace(" ", "\\ ")
        options = f"{os.environ.get('PGOPTIONS', '')} -c tiering.pseudonym_key={key}"
        return {"PGOPTIONS": options.strip()}

    def _audited(self) -> set[tuple[str, str]]:
        """The tables for which there are suites, beside what is published."""
        files = (self.project / SUITES).glob("*/*.json")
        published = {*PUBLISHED.values(), "history"}
        return {(f.parent.name, f.stem) for f in files if f.parent.name not in published}

    def _show(self, log: list[Run], built: Build, erasures: Erasures | None) -> None:
        """Publish in the database and in the folder: both are made before either is shown."""
        before = self._database.published_run()
        self._database.write_next(log, built.keys, built.descriptions)
        finished = finish(
            self.warehouse,
            log,
            built.keys,
            erasures,
            built.descriptions,
            built.published_by,
            self._digest_of_checks(),
            self.target,
        )
        self._database.show_next()
        _point_to(self.warehouse, finished, self._database, before)

    def _remove_erased(self, holding: list[Path], erased: Path) -> list[str]:
        # first: while a folder is there, the next refresh finds out that it may hold them
        self._database.drop([path.name for path in holding])
        return super()._remove_erased(holding, erased)

    def _tidy(self) -> None:
        super()._tidy()
        if views := self._database.views_of_kept():
            self.note(
                f"{self._database}: views that show an earlier publication, and have to be made again: "
                f"{', '.join(views)}."
            )
        left = self._database.drop_all_but([path.name for path in publications(self.warehouse)])
        if left:
            self.note(
                f"{self._database}: schemas that are no longer kept are still read, or views are made of them "
                f"({', '.join(left)}); the next refresh tries again."
            )


def rollback(warehouse: Path, run_id: str | None) -> Run:
    """Let readers of the database and of the folder see an earlier publication again; see refreshing.rollback."""
    with ExitStack() as opened:
        databases: list[Database] = []

        def prepare(ledger: Ledger) -> None:
            database = Database(opened.enter_context(connected()))
            database.lock()
            repair(warehouse, database, ledger)
            databases.append(database)

        def show(_: Path, publication: Path) -> None:
            [database] = databases
            before = database.published_run()
            if publication.name != before:
                if not database.has_kept(publication.name):
                    found = f"no schemas of run {publication.name}"
                    raise SourceError(str(database), found, "those of a publication that is kept")
                database.show_kept(publication.name)
            _point_to(warehouse, publication, database, before)

        return roll_back(warehouse, run_id, POSTGRES, prepare, show)


def repair(warehouse: Path, database: Database, ledger: Ledger) -> None:
    """Let the folder show what the database shows, after a run that died between the two.

    Raises ConfigurationError when the folder never had it: then it is not the one that is published from.
    """
    shown, seen = database.published_run(), current_publication(warehouse)
    if shown == (seen.name if seen else None):
        return
    finished = warehouse / PUBLICATIONS / str(shown)
    if shown is not None and finished.is_dir():
        point_to(warehouse, finished)
        for run in ledger.runs():
            if run.run_id == shown:
                ledger.update(run, status="published", publication=shown)
    elif seen is not None:
        found = (
            f"{warehouse}, which shows run {seen.name}, where {database} shows {shown or 'none'}"
        )
        allowed = "the folder and the database of one another's publications, or a new folder"
        raise ConfigurationError(f"{COMMAND_LINE}, --warehouse", found, allowed)


def _point_to(warehouse: Path, publication: Path, database: Database, before: str | None) -> None:
    """Let readers of the folder see what those of the database see now; else take it back there."""
    try:
        point_to(warehouse, publication)
    except BuildError:
        if before is not None:
            database.show_kept(before)
        raise


def _under_published_names(descriptions: Mapping[str, Description]) -> dict[str, Description]:
    """Descriptions by the names under which readers see the tables."""
    names = {schema: name for schema, name in PUBLISHED.items() if schema != "history"}
    renamed = {}
    for relation, description in descriptions.items():
        schema, table = relation.split(".")
        renamed[f"{names.get(schema, schema)}.{table}"] = description
    return renamed
