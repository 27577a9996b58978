"""A refresh, step by step: lock, preflight, build, audit, publish; the ledger says what became of it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import duckdb
from rich.console import Console

from customer_tiering.audit_page import ACCEPT_CHANGE
from customer_tiering.auditing import audit
from customer_tiering.building import Build, build
from customer_tiering.configuration import COMMAND_LINE, Configuration, Settings
from customer_tiering.erasures import (
    ERASED_IDS,
    KEY,
    LAST_PUBLICATION,
    Erasures,
    check_key,
    dated_warehouses,
    erasures_of,
    handed_over,
    holding_erased,
    remove_dated,
    remove_logs,
    remove_publications,
)
from customer_tiering.errors import (
    UNFORESEEN,
    AuditError,
    BuildError,
    ConfigurationError,
    LandingError,
    SourceError,
    Stopped,
    TieringError,
    WorkDatabaseError,
)
from customer_tiering.locking import LOCK, locked
from customer_tiering.mappings import (
    check_mapping,
    fault_of_landing,
    files_of,
    forms_of,
    notes_on_files,
    tables_beside,
)
from customer_tiering.overview.page import write_overview
from customer_tiering.overview.view import Rules
from customer_tiering.permissions import FOLDER, make_private, private_files
from customer_tiering.progress import Progress
from customer_tiering.published_work import differing_period, digest_of_checks, note_published
from customer_tiering.publishing import (
    AUDIT,
    DUCKDB,
    OVERVIEW,
    PUBLICATIONS,
    WORK,
    current_publication,
    errors_as_build_error,
    file_of,
    point_to,
    prepare,
    publication_of,
    publications,
    publish,
    target_of,
    tidy,
    verify,
)
from customer_tiering.quoting import literal
from customer_tiering.reading import connect
from customer_tiering.rules import RuleChanges, changes, read_rules, rules_of, write_rules
from customer_tiering.runs import LEDGER, Ledger, Run, now
from customer_tiering.sources import (
    SPREADSHEET,
    check_checksums,
    check_content,
    check_folder,
    check_headers,
    check_raw_folder,
    check_unchanged,
    contract_columns,
    contract_tables,
    list_files,
    table_files,
)

MEGABYTE = 1_000_000
# What a warehouse holds for its owner alone.
PRIVATE = (WORK, f"{WORK}.wal", f"{WORK}.tmp", LEDGER, LOCK, KEY, "logs", "target")


class Refresh:
    """One refresh of a warehouse. Notes go to `note`, progress goes to `console`.

    It continues from the last build and recomputes the periods for which something new is known. With
    `from_scratch` it begins with the raw tables only. The marts are the same. With `accepts_change` they may differ from
    the last publication as far as they do.
    """

    target = DUCKDB

    def __init__(
        self,
        project: Path,
        configuration: Configuration,
        warehouse: Path,
        console: Console,
        note: Callable[[str], None],
        from_scratch: bool = False,
        accepts_change: bool = False,
    ) -> None:
        self.project = project
        self.configuration = configuration
        self.warehouse = warehouse
        self.console = console
        self.progress = Progress(console)
        self.note = note
        self.from_scratch = from_scratch
        self.accepts_change = accepts_change
        self.rules = rules_of(project, configuration)

    def run(self) -> None:
        """Build, audit and publish. Raises a TieringError, and then the old publication stands."""
        for folder in (self.warehouse, self.warehouse / PUBLICATIONS):
            make_folder(folder)
        started = monotonic()
        with private_files(), locked(self.warehouse) as lock:
            for folder in (self.warehouse, *dated_warehouses(self.warehouse)):
                for name in PRIVATE:  # an earlier release made them as the umask said
                    make_private(folder / name)
            ledger = Ledger(self.warehouse)
            run = ledger.start(
                "refresh", _seen(self.warehouse), rules=str(self.rules), options=self._options()
            )
            with _recording(ledger, run, self.warehouse) as recorded, handed_over() as erased:
                with self.progress.stage("preflight"):
                    self._preflight(ledger)
                recorded.update(stage="build")
                with self._errors_of_mapping():
                    built = self._build(lock, erased)
                for note in landing_notes(self.warehouse / WORK):
                    self.note(note)
                recorded.update(tests=built.tests, **_rows(self.warehouse / WORK))
                recorded.update(stage="audit")
                with self.progress.stage("audit"):
                    self._audit(recorded.run)
                recorded.update(stage="publish")
                with self.progress.stage("publish"):
                    self._publish(recorded, built, erased)
            self._tidy()
        seconds = monotonic() - started
        periods, kept = _periods(self.warehouse / WORK)
        self.console.print(
            f"{built.nodes} models, seeds and tests in {seconds:.0f} s; {periods - kept} of {periods} "
            "review periods computed.",
            style="dim",
        )

    def _options(self) -> str | None:
        given = {"--full": self.from_scratch, ACCEPT_CHANGE: self.accepts_change}
        return ", ".join(name for name, is_given in given.items() if is_given) or None

    def _preflight(self, ledger: Ledger) -> None:
        """What can be known to be wrong before anything is built; leaves a work database to build in."""
        settings = self.configuration.settings
        check_target(self.warehouse, self.target)
        check_key(self.warehouse)
        mapping = self.configuration.mapping
        if mapping and mapping.declaration.personal_ids and not settings.pseudonymise_ids:
            found = f"false, though {mapping.folder} says that ids are personal"
            raise ConfigurationError("var pseudonymise_ids", found, "true")
        if folder := self._raw_folder():
            self._check_files(folder)
        tidy(self.warehouse, settings.publications_kept, _unpublished(ledger))
        _check_space(self.warehouse, settings)
        self._prepare_work(ledger)

    def _check_files(self, folder: Path) -> None:
        """What can be known of the raw files before they are landed."""
        tables = contract_tables(self.project)
        if mapping := self.configuration.mapping:
            check_folder(folder)
            with connect() as connection:
                check_mapping(connection, mapping, folder, self.project)
            notes = notes_on_files(mapping, folder, self.project)
        else:
            notes = check_raw_folder(folder, tables)
        for note in notes:
            self.note(note)
        check_checksums(folder)
        columns = contract_columns(self.project)
        if mapping:
            columns = {name: columns[name] for name in tables_beside(mapping, folder, self.project)}
        check_headers(folder, columns)

    def _prepare_work(self, ledger: Ledger) -> None:
        """Leave a work database to build in, which holds no more than this build may continue from."""
        may_continue = not self.from_scratch and _has_built(ledger)
        if not may_continue or not _reuse_work_database(self.warehouse, self.note):
            start_afresh(self.warehouse)

    @contextmanager
    def _errors_of_mapping(self) -> Iterator[None]:
        """Name the line of a mapping at which its landing stopped: over a schema it is not tried before."""
        try:
            yield
        except LandingError as error:
            mapping = self.configuration.mapping
            if mapping and (fault := fault_of_landing(mapping, str(error))):
                raise fault from None
            raise

    def _build(self, lock: list[int], erased: Path) -> Build:
        """Build with dbt. When it fails and a raw file cannot be read, the sentence is about that file.

        A file that changed while it was read may have been read in the middle of a line: all is read
        again, once. dbt takes published history over from the last publication, and leaves in the file
        `erased` which ids are erased.
        """
        environment = {ERASED_IDS: str(erased), LAST_PUBLICATION: _last_publication(self.warehouse)}
        listed = self._listed()
        try:
            try:
                return self._build_once(lock, environment)
            except LandingError:
                if self._listed() == listed:
                    raise
            listed = self._listed()
            return self._build_once(lock, environment)
        except BuildError as error:
            if isinstance(error, LandingError):
                check_unchanged(listed, self._listed())
            if folder := self._raw_folder():
                self._check_contents(folder)
            raise

    def _build_once(self, lock: list[int], environment: dict[str, str]) -> Build:
        try:
            return self._run_dbt(lock, environment)
        except WorkDatabaseError:
            start_afresh(self.warehouse)
            return self._run_dbt(lock, environment)

    def _run_dbt(self, lock: list[int], environment: dict[str, str]) -> Build:
        arguments = (self.project, self.warehouse, self.configuration.overrides, self.progress)
        return build(*arguments, lock, environment)

    def _listed(self) -> dict[Path, tuple[int, int]]:
        folder = self._raw_folder()
        return list_files(self._files(folder)) if folder else {}

    def _files(self, folder: Path) -> Iterator[Path]:
        """The files that the raw tables are made of."""
        if mapping := self.configuration.mapping:
            found = files_of(mapping, folder), tables_beside(mapping, folder, self.project)
            yield from sorted(
                {file for by_name in found for files in by_name.values() for file in files}
            )
        else:
            yield from table_files(folder, contract_tables(self.project))

    def _check_contents(self, folder: Path) -> None:
        """Read every raw file to its end. Raises SourceError at the first one that cannot be read."""
        mapping = self.configuration.mapping
        forms = forms_of(mapping, folder) if mapping else {}
        for file in self._files(folder):
            check_content(file, forms.get(file, SPREADSHEET))

    def _publish(self, recorded: _RecordedRun, built: Build, erased: Path) -> None:
        """Let readers see what was built, and remove what may still hold persons erased since."""
        with errors_as_build_error(f"the publication of {self.warehouse}"):
            write_rules(self.rules, prepare(self.warehouse, recorded.run.run_id))
        erasures = erasures_of(self.warehouse, erased)
        holding = holding_erased(self.warehouse, erasures)
        removed = []
        # a failed run before the first publication may have left something too
        if holding or (
            erasures and not publications(self.warehouse) and len(recorded.ledger.runs()) > 1
        ):
            recorded.ledger.forget_messages()
            remove_logs(self.warehouse)
            removed.append("logs, target/ and earlier messages are removed")
        finished: dict[str, Any] = {"status": "published", "finished_at": now(), "exit_code": 0}
        log = recorded.log_with(**finished, publication=recorded.run.run_id)
        self._draw_overview(recorded.run)
        self._show(log, built, erasures)
        if erasures:
            removed += self._remove_erased(holding, erased)
        if removed:
            finished["message"] = f"Persons asked to be erased: {'; '.join(removed)}."
            self.note(finished["message"])
        recorded.update(**finished)

    def _draw_overview(self, run: Run) -> None:
        """Draw the page that is published beside the database."""
        settings = self.configuration.settings
        write_overview(
            self.warehouse / WORK,
            Rules(settings.rfm_window_days, settings.score_profile, settings.min_group_size),
            prepare(self.warehouse, run.run_id) / OVERVIEW,
        )

    def _show(self, log: list[Run], built: Build, erasures: Erasures | None) -> None:
        """Publish what was built."""
        note_published(self.warehouse / WORK, log[-1].run_id, self.project)
        publish(
            self.warehouse,
            log,
            built.keys,
            erasures,
            built.descriptions,
            built.published_by,
            self._digest_of_checks(),
            takes_over=not self.from_scratch,
        )

    def _digest_of_checks(self) -> str:
        return digest_of_checks(self.project, self.configuration.settings)

    def _tidy(self) -> None:
        """Remove what is no longer kept."""
        tidy(self.warehouse, self.configuration.settings.publications_kept)

    def _remove_erased(self, holding: list[Path], erased: Path) -> list[str]:
        """Remove the publications that may hold the erased, those as of a date too; says what was done."""
        done = []
        if holding:
            remove_publications(holding)
            done.append(f"earlier publications that may hold them are removed ({len(holding)})")
        emptied, left = remove_dated(self.warehouse, erased)
        if emptied:
            done.append(f"dated warehouses that may hold them are emptied ({', '.join(emptied)})")
        if left:
            done.append(
                f"dated warehouses that are being refreshed may hold them still ({', '.join(left)}): "
                "the next refresh looks at them again"
            )
        return done

    def _audit(self, run: Run) -> None:
        """Check what was built, beside what readers see; the page is published with it."""
        seen = current_publication(self.warehouse)
        page = prepare(self.warehouse, run.run_id) / AUDIT
        try:
            summary = audit(
                self.warehouse / WORK,
                file_of(seen) if seen else None,
                page,
                self.configuration.settings,
                self.project,
                self._rule_changes(seen) if seen else None,
                self.accepts_change,
            )
        except AuditError:
            if page.is_file():
                self.note(f"what was checked, until the next refresh: {page}")
            raise
        for note in summary.notes:
            self.note(note.en)

    def _rule_changes(self, seen: Path) -> RuleChanges:
        """What has changed of the rules since the publication that readers see."""
        before = read_rules(seen)
        return RuleChanges(seen.name, changes(before, self.rules) if before else None)

    def _raw_folder(self) -> Path | None:
        """The folder of the raw tables; None when they are in a schema."""
        settings = self.configuration.settings
        # an absolute path stands for itself
        return None if settings.raw_schema else self.project / settings.raw_path


def rollback(
    warehouse: Path,
    run_id: str | None,
    target: str = DUCKDB,
    prepare: Callable[[Ledger], None] | None = None,
    show: Callable[[Path, Path], None] = point_to,
) -> Run:
    """Let readers see an earlier publication again: that of a run, else the one before the current.

    Its files are checked first. The next refresh publishes again and continues the published history
    from there. `target` is what dbt built in, `prepare` makes what readers see one state, and `show` shows a
    publication. Gives the ledger's row. Raises SourceError when there is none such or its files have changed.
    """
    if not warehouse.is_dir():
        raise SourceError(f"warehouse {warehouse}", "no such folder", "the folder of a warehouse")
    with private_files(), locked(warehouse):
        check_target(warehouse, target)
        ledger = Ledger(warehouse)
        if prepare:
            prepare(ledger)
        publication = _target(warehouse, run_id)
        verify(publication)
        with _recording(ledger, ledger.start("rollback", _seen(warehouse)), warehouse) as recorded:
            recorded.update(stage="publish")
            show(warehouse, publication)
            recorded.update(status="published", finished_at=now(), exit_code=0)
    return recorded.run


def check_target(warehouse: Path, target: str) -> None:
    """Raise ConfigurationError when the publications of a warehouse were built in something else than `target`."""
    if target_of(warehouse) not in (None, target):
        found = f"{target} for {warehouse}, whose publications are of {target_of(warehouse)}"
        allowed = f"{target_of(warehouse)}, or another folder"
        raise ConfigurationError(f"{COMMAND_LINE}, --target", found, allowed)


def make_folder(folder: Path) -> None:
    """Make a folder of a warehouse, which others may enter as the umask says. Raises ConfigurationError."""
    try:
        folder.mkdir(FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        found = f"{folder} ({error.strerror})"
        allowed = "a folder in which files can be made"
        raise ConfigurationError(f"{COMMAND_LINE}, --warehouse", found, allowed) from None


def _target(warehouse: Path, run_id: str | None) -> Path:
    if run_id is not None:
        return publication_of(warehouse, run_id)
    current = current_publication(warehouse)
    earlier = [path for path in publications(warehouse) if current and path.name < current.name]
    if not earlier:
        found = (
            f"none before the publication of run {current.name}" if current else "no publication"
        )
        later = [path.name for path in publications(warehouse) if current and path != current]
        named = f", or with --to a later one: {', '.join(later)}" if later else ""
        raise SourceError(str(warehouse), found, f"an earlier one to go back to{named}")
    return earlier[-1]


class _RecordedRun:
    """A run whose state is in the ledger."""

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self.ledger, self.run = ledger, run

    def update(self, **changes: Any) -> None:
        self.run = self.ledger.update(self.run, **changes)

    def log_with(self, **changes: Any) -> list[Run]:
        """All runs up to this one, which as it will be after the changes."""
        before = [run for run in self.ledger.runs() if run.run_id != self.run.run_id]
        return [*before, Run(**{**vars(self.run), **changes})]


@contextmanager
def _recording(ledger: Ledger, run: Run, warehouse: Path) -> Iterator[_RecordedRun]:
    """Keep a run's row in the ledger true, however the run ends."""
    recorded = _RecordedRun(ledger, run)
    with ending_in_order():
        try:
            yield recorded
        except BaseException as error:
            seen = _seen(warehouse)
            status = "failed" if isinstance(error, Exception) else "interrupted"
            if isinstance(error, TieringError | Stopped):
                exit_code, message = int(error.exit_code), str(error)
            else:
                exit_code, message = UNFORESEEN, type(error).__name__
            error.run = recorded.run  # type: ignore[attr-defined]
            with suppress(BuildError):  # what went wrong first is what is reported
                recorded.update(
                    status="published" if seen == run.run_id else status,
                    finished_at=now(),
                    exit_code=exit_code,
                    message=message,
                    publication=seen,
                )
            raise
        recorded.update(publication=_seen(warehouse))


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Turn the request to stop into an exception, so that what has begun is ended in order."""

    def stop(number: int, _frame: object) -> None:
        raise Stopped(number)

    numbers = (signal.SIGTERM, signal.SIGINT)
    try:
        before = [signal.signal(number, stop) for number in numbers]
    except ValueError:  # not in the main thread: whoever runs us there handles signals
        yield
        return
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _seen(warehouse: Path) -> str | None:
    current = current_publication(warehouse)
    return current.name if current else None


def _unpublished(ledger: Ledger) -> set[str]:
    """The runs of which readers saw nothing."""
    return {run.run_id for run in ledger.runs() if run.status in ("failed", "interrupted")}


def _check_space(warehouse: Path, settings: Settings) -> None:
    free = shutil.disk_usage(warehouse).free // MEGABYTE
    if free < settings.min_free_megabytes:
        raise BuildError(
            f"{warehouse}: found {free} MB of free disk; allowed is at least "
            f"{settings.min_free_megabytes} MB (var min_free_megabytes)."
        )


def _has_built(ledger: Ledger) -> bool:
    """Whether the refresh before this one built all it wanted, whatever became of it then."""
    refreshes = [run for run in ledger.runs() if run.kind == "refresh"]
    return len(refreshes) > 1 and refreshes[-2].stage in ("audit", "publish")


def _reuse_work_database(warehouse: Path, note: Callable[[str], None]) -> bool:
    """Prepare the work database that is there for another build; whether that could be done.

    Rows that were published by period must be as they were: they were tested then. People are told where they are not.
    """
    if not (warehouse / WORK).is_file():
        return False
    try:
        if found := differing_period(warehouse):
            table, period = found
            note(
                f"{WORK}: the rows of {table} for {period} are not those that were published; "
                "this refresh begins with a new work database."
            )
            return False
        _copy_last_counts(warehouse)
    except (duckdb.Error, OSError):  # whatever is wrong with it, a new one is made
        return False
    return True


def start_afresh(warehouse: Path) -> None:
    """A new work database.

    So what a run that failed or was cut off left has no influence on this one, and what was built of
    persons who have asked to be erased since leaves no bytes behind. Raises BuildError.
    """
    work = warehouse / WORK
    with errors_as_build_error(f"the new work database {work}"):
        for path in (work, work.with_name(f"{WORK}.wal")):
            path.unlink(missing_ok=True)
        # what DuckDB had no room for
        shutil.rmtree(work.with_name(f"{WORK}.tmp"), ignore_errors=True)
        _copy_last_counts(warehouse)


def _copy_last_counts(warehouse: Path) -> None:
    """Copy the counts of raw rows of the last publication into the work database, and nothing else of it.

    Published history goes over when the raw tables are landed, as it is there that it is known whose
    is to be left out.
    """
    publication = current_publication(warehouse)
    # as dbt's profile has it: DuckDB before 2.0 makes files of an older format, in which dbt can make no reading functions
    with duckdb.connect(
        str(warehouse / WORK), config={"storage_compatibility_version": "latest"}
    ) as connection:
        for schema in ("last_publication", "history"):
            connection.execute(f"drop schema if exists {schema} cascade")
        if publication is None:
            return
        connection.execute(f"attach {literal(file_of(publication))} as publication (read_only)")
        kept = {"quality.reconciliation": "last_publication.reconciliation"}
        for source, target in kept.items():
            schema, table = source.split(".")
            found = connection.execute(
                "select 1 from duckdb_tables() where database_name = 'publication' "
                "and schema_name = ? and table_name = ?",
                [schema, table],
            ).fetchone()
            if found:
                connection.execute(f"create schema if not exists {target.split('.')[0]}")
                connection.execute(f"create table {target} as from publication.{source}")


def _last_publication(warehouse: Path) -> str:
    """The file of the publication from which history continues; empty before the first."""
    publication = current_publication(warehouse)
    return str(file_of(publication)) if publication else ""


def landing_notes(work: Path) -> list[str]:
    """The landing's notes on the raw files that it read."""
    with duckdb.connect(str(work), read_only=True) as connection:
        found = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'builds' and table_name = 'landing_notes'"
        ).fetchone()
        notes = connection.execute("from builds.landing_notes").fetchall() if found else []
    return [note for (note,) in notes]


def _periods(work: Path) -> tuple[int, int]:
    """How many review periods there are, and how many were kept from the build before."""
    with duckdb.connect(str(work), read_only=True) as connection:
        [(periods, kept)] = connection.execute(
            "select periods, periods_kept from builds.last_build"
        ).fetchall()
    return periods or 0, kept or 0


def _rows(work: Path) -> dict[str, object]:
    """As-of date and row counts of what was built, for the ledger. Raises BuildError."""
    with (
        errors_as_build_error(f"reading what was built in {work}"),
        duckdb.connect(str(work), read_only=True) as connection,
    ):
        [(as_of,)] = connection.execute(
            "select cast(max(period_end) as varchar) from marts.review_periods"
        ).fetchall()
        [rows] = connection.execute(
            "select sum(rows_in), sum(rows_staged), sum(rows_duplicate), sum(rows_rejected) "
            "from quality.reconciliation"
        ).fetchall()
    names = ("rows_in", "rows_staged", "rows_duplicate", "rows_rejected")
    return {"as_of_date": as_of, **{n: int(v or 0) for n, v in zip(names, rows, strict=True)}}
