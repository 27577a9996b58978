"""The audit of a built warehouse by Great Expectations, before it may be published.

The shipped suites are of the raw tables, and the marts are compared with the last publication: what
models promise is tested by dbt. A suite may be added for any table.

It fails closed: what cannot be checked counts as wrong. It shows counts and never values, on its
page as in its messages, for the raw tables hold personal data.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb

from customer_tiering.audit_bounds import AuditBounds, Bound, read_bounds
from customer_tiering.audit_page import ACCEPT_CHANGE, Check, Verdict, write_page
from customer_tiering.audit_words import allowed_by, columns_of
from customer_tiering.configuration import Settings
from customer_tiering.errors import AuditError, ComparisonError
from customer_tiering.language import Words
from customer_tiering.memory import limits
from customer_tiering.messages import without_values
from customer_tiering.quoting import literal
from customer_tiering.rules import RuleChanges

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from sqlalchemy import Engine

SUITES = Path("tests/expectations")
DRIFT = "drift.last_publication"
# Of a query's rows Great Expectations looks at 200; a failed one may have millions.
ROWS_FETCHED = 1000
# Where what is said begins: an error of DuckDB, or the one of Great Expectations that names no value.
_ERROR = re.compile(r"\w+ Error: |Error: The column ")


@dataclass(frozen=True)
class AuditSummary:
    """What was checked; `notes` say what was not compared with the last publication, and why."""

    suites: int
    expectations: int
    notes: list[Words]


@dataclass(frozen=True)
class _Suite:
    """A suite, the table or query it is for, and where it comes from for messages.

    The bounds of a comparison say what their measures are, by name.
    """

    suite: ExpectationSuite
    where: str
    schema: str = ""
    table: str = ""
    query: str = ""
    bounds: dict[str, Bound] = field(default_factory=dict)

    @property
    def place(self) -> Words:
        """What it is about, for people."""
        if self.bounds:
            return Words("Compared with the last publication", "与上次发布比较")
        return Words(self.suite.name, self.suite.name)


def audit(
    work: Path,
    previous: Path | None,
    page: Path,
    settings: Settings,
    project: Path,
    rules: RuleChanges | None = None,
    accepts_change: bool = False,
) -> AuditSummary:
    """Check the database `work` by the suites of a project, and beside the last publication.

    `project`/tests/expectations/SCHEMA/TABLE.json is the suite of a table, as Great Expectations
    writes it. `previous` is the file of the last publication, None when there is none. What was checked, found
    and allowed is written to the file `page`, also when an expectation fails. Nothing is written elsewhere.
    `rules` are those that have changed since the last publication; with `accepts_change` what differs too much from it is
    noted, and all else is checked as ever.
    Raises AuditError on the first expectation that does not hold or cannot be checked, on a suite
    that cannot be read or whose table is not there, and when there is no suite at all.
    """
    _gx()
    limits = read_bounds(work, previous, settings)
    with _errors_as_audit_error():
        suites = [*_read_suites(project / SUITES), *_bounds_suite(limits)]
        with _Database(work, project, settings) as database:
            results = _validate(database, suites)
    checks = [
        check
        for suite, result in zip(suites, results, strict=True)
        for check in _checks(suite, result, accepts_change)
    ]
    with _errors_as_audit_error():
        write_page(page, checks, limits.notes, rules)
    _judge(checks, rules)
    accepted = [_accepted(check) for check in checks if check.verdict is Verdict.ACCEPTED]
    if accepted and rules:
        accepted.append(rules.said())
    return AuditSummary(len(suites), len(checks), [*limits.notes, *accepted])


# -- Suites ----------------------------------------------------------------------------------------


def _read_suites(folder: Path) -> list[_Suite]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md")
    if not files:
        raise AuditError(str(folder), "no suite of expectations", "SCHEMA/TABLE.json, one or more")
    return [_read_suite(folder, path) for path in files]


def _read_suite(folder: Path, path: Path) -> _Suite:
    """Read a suite and make each of its expectations: a suite of its own drops what it cannot."""
    where = f"{SUITES / path.relative_to(folder)}"
    parts = path.relative_to(folder).with_suffix("").parts
    if path.suffix != ".json" or len(parts) != 2:
        raise AuditError(where, "a file that is no suite", "SCHEMA/TABLE.json")
    allowed = "a suite as Great Expectations writes it"
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AuditError(where, f"no JSON ({type(error).__name__})", allowed) from error
    declared = written.get("expectations") if isinstance(written, dict) else None
    if not isinstance(declared, list) or not declared:
        raise AuditError(where, "no expectations", allowed)
    expectations = [_expectation(f"{where}, {_named(one)}", one) for one in declared]
    suite = _gx().ExpectationSuite(name=".".join(parts), expectations=expectations)
    return _Suite(suite, f"{where}, table {'.'.join(parts)}", *parts)


def _expectation(where: str, declared: Any) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(**declared).to_domain_obj()
    # Whatever else it is that Great Expectations cannot make of it, it is not checked.
    except Exception as error:
        words = " ".join(str(error).split())
        raise AuditError(where, f"what is no expectation ({words})", "a known one") from error


def _named(declared: object) -> str:
    return str(declared.get("type")) if isinstance(declared, dict) else repr(declared)


def _bounds_suite(limits: AuditBounds) -> list[_Suite]:
    """The bounds to the last publication as a suite over the one row that measures the marts."""
    if not limits.bounds:
        return []
    gx = _gx()
    expectations = [
        gx.expectations.ExpectColumnMaxToBeBetween(
            column=bound.measure,
            min_value=float(bound.low),
            max_value=None if bound.high is None else float(bound.high),
        )
        for bound in limits.bounds
    ]
    suite = gx.ExpectationSuite(name=DRIFT, expectations=expectations)
    bounds = {bound.measure: bound for bound in limits.bounds}
    return [
        _Suite(suite, "comparison with the last publication", query=limits.query, bounds=bounds)
    ]


# -- The run ---------------------------------------------------------------------------------------


@cache
def _gx() -> ModuleType:
    """Great Expectations, which takes seconds to import: only an audit pays for it."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    # It logs what we raise, with values of the data.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    atexit.register(_end_quietly)
    return gx


def _end_quietly() -> None:
    """With Great Expectations loaded, DuckDB's bindings list on stderr what Python's end leaves."""
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class _Database:
    """The work database for SQLAlchemy: attached read-only, with what raw views in it read."""

    def __init__(self, work: Path, project: Path, settings: Settings) -> None:
        self.statements = [
            *(f"set {name} = {literal(value)}" for name, value in limits(work).items()),
            "set TimeZone = 'UTC'",
            # Raw views over files name them from the folder in which dbt runs.
            f"set file_search_path = {literal(project.resolve())}",
            *(_profile_statements(project) if settings.raw_schema else []),
            f"attach {literal(work.resolve())} as work (read_only)",
            "use work",
        ]
        self.engines: list[Engine] = []

    def __enter__(self) -> _Database:
        with duckdb.connect() as connection:
            self._attach(
                connection, None
            )  # tells at once, in DuckDB's own words, what is not there
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self.engines:
            engine.dispose()

    def use(self, engine: Engine) -> None:
        """Let all connections of an engine see the database, and results outlive them.

        Great Expectations reads a result after it gave the connection back, when DuckDB has
        nothing left to give.
        """
        from sqlalchemy import event

        event.listen(engine, "connect", self._attach)
        event.listen(engine, "after_cursor_execute", _keep_rows)
        engine.dispose()  # of connections made before
        self.engines.append(engine)

    def _attach(self, connection: Any, _record: object) -> None:
        for statement in self.statements:
            connection.execute(statement)


def _keep_rows(
    _connection: Any, cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: Any
) -> None:
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    if cursor.description:
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
            cursor, initial_buffer=cursor.fetchmany(ROWS_FETCHED)
        )


def _profile_statements(project: Path) -> list[str]:
    """What dbt's profile does to a connection, so that views of a raw_schema elsewhere can be read.

    All is attached read-only.
    """
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.config.profile import read_profile
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context

    set_invocation_context(os.environ)  # where env_var looks
    profile = read_profile(str(project / "profiles"))["customer_tiering"]
    output = ProfileRenderer({}).render_data(profile["outputs"][profile["target"]])
    credentials = DuckDBCredentials.from_dict(DuckDBCredentials.translate_aliases(output))
    extensions = [
        one if isinstance(one, str) else one["name"] for one in credentials.extensions or ()
    ]
    attachments = credentials.attach or []
    for attachment in attachments:
        attachment.read_only = True
        if (local := project / attachment.path).exists():  # an absolute path stands for itself
            attachment.path = str(local.resolve())
    return [
        *(f"load {literal(name)}" for name in extensions),
        *credentials.secrets_sql(),
        *(attachment.to_sql() for attachment in attachments),
    ]


def _validate(database: _Database, suites: list[_Suite]) -> list[Any]:
    """Run one checkpoint over all suites; gives the result of each."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    gx = _gx()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.variables.data_docs_sites):
        context.delete_data_docs_site(site)  # its pages, in a temporary folder
    source = context.data_sources.add_sql("work", connection_string="duckdb:///:memory:")
    database.use(source.get_engine())
    database.use(source.get_execution_engine().engine)
    definitions = [_definition(context, source, suite) for suite in suites]
    checkpoint = gx.Checkpoint(
        name="audit",
        validation_definitions=definitions,
        # Counts alone: what does not fit is never fetched.
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    run = context.checkpoints.add(checkpoint).run()
    results = {result.suite_name: result for result in run.run_results.values()}
    return [results[suite.suite.name] for suite in suites]


def _definition(context: Any, source: Any, suite: _Suite) -> Any:
    if suite.query:
        asset = source.add_query_asset(suite.suite.name, query=suite.query)
    else:
        try:
            with warnings.catch_warnings():
                # It would have a data source for every schema.
                warnings.simplefilter("ignore", DeprecationWarning)
                asset = source.add_table_asset(
                    suite.suite.name, table_name=suite.table, schema_name=suite.schema
                )
        except _gx().datasource.fluent.interfaces.TestConnectionError as error:
            found = "no such table, or one that cannot be read"
            raise AuditError(suite.where, found, "a table of the warehouse") from error
    return context.validation_definitions.add(
        _gx().ValidationDefinition(
            name=suite.suite.name,
            data=asset.add_batch_definition_whole_table("all"),
            suite=context.suites.add(suite.suite),
        )
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


def _errors(one: Any) -> list[str]:
    """The errors of an expectation: one on its own, or one for each figure it needs."""
    info = one.exception_info or {}
    infos = [info] if "raised_exception" in info else list(info.values())
    return [
        str(error.get("exception_message") or "no message")
        for error in infos
        if error.get("raised_exception")
    ]


def _harmless(message: str) -> str:
    """An error's text up to its own SQL and without values; none of one that nobody knows."""
    if error := _ERROR.search(message):
        first = without_values(message[error.start() :]).splitlines()[0]
        return first.partition(" [SQL")[0].rstrip(" .)!")
    return "an error whose text may hold values and is left out"


# -- The verdict -----------------------------------------------------------------------------------


def _checks(suite: _Suite, result: Any, accepts_change: bool) -> list[Check]:
    """What came of each expectation of a suite. Raises AuditError when one has no result."""
    if len(result.results) != len(suite.suite.expectations):
        found = f"{len(result.results)} results"
        raise AuditError(suite.where, found, f"{len(suite.suite.expectations)}, one an expectation")
    return [_check(suite, one, accepts_change) for one in result.results]


def _check(suite: _Suite, one: Any, accepts_change: bool) -> Check:
    configuration = one.expectation_config
    arguments = {k: v for k, v in configuration.kwargs.items() if k != "batch_id"}
    columns = columns_of(arguments)
    holds = one.success is True and not _errors(one)
    passes = accepts_change and suite.bounds and not _errors(one)
    if bound := suite.bounds.get(arguments.get("column", "")):
        subject, allowed, where = bound.subject, bound.allowed, f"{suite.where}, {bound.subject.en}"
    else:
        subject = Words(", ".join(columns), "、".join(columns))
        allowed = allowed_by(configuration.type, arguments, configuration.description)
        where = suite.where
        if columns:
            where += f", column{'s' if len(columns) > 1 else ''} {', '.join(columns)}"
    return Check(
        where=where,
        place=suite.place,
        subject=subject,
        found=_found(one, bound, holds),
        allowed=allowed,
        verdict=Verdict.HOLDS if holds else Verdict.ACCEPTED if passes else Verdict.FAILS,
        is_comparison=bool(suite.bounds),
        hint=bound.hint if bound else None,
    )


def _accepted(check: Check) -> Words:
    return Words(
        f"accepted: {check.subject.en} {check.found.en}; allowed is {check.allowed.en}",
        f"已接受：{check.subject.zh} {check.found.zh}；允许 {check.allowed.zh}",
    )


def _judge(checks: list[Check], rules: RuleChanges | None) -> None:
    """Raise AuditError on the first check that fails."""
    failed = [check for check in checks if check.verdict is Verdict.FAILS]
    if not failed:
        return
    first, more = failed[0], len(failed) - 1
    others = f", and {more} more that {'does' if more == 1 else 'do'} not hold" if more else ""
    said = first.where, f"{first.found.en}{others}", first.allowed.en
    if not first.is_comparison:
        raise AuditError(*said)
    advice = [words.en for words in (first.hint, rules.said() if rules else None) if words]
    advice.append(f"If the difference is intended: tiering refresh {ACCEPT_CHANGE}.")
    raise ComparisonError(*said, " ".join(advice))


def _found(one: Any, bound: Bound | None, holds: bool) -> Words:
    """What was found, in numbers alone."""
    if errors := _errors(one):
        said = _harmless(errors[0])
        return Words(f"that it cannot be checked ({said})", f"无法检查（{said}）")
    found = {name: value for name, value in one.result.items() if _is_number(value)}
    total, unfit = found.get("element_count"), found.get("unexpected_count")
    value = found.get("observed_value")
    if bound:
        return bound.written(value)
    if total is not None and unfit is not None:
        if unfit == 0:
            return Words(f"all {total:,} rows fit", f"{total:,} 行全部符合")
        return Words(
            f"{unfit:,} of {total:,} rows that do not fit", f"{total:,} 行中有 {unfit:,} 行不符合"
        )
    if one.expectation_config.type == "unexpected_rows_expectation" and value is not None:
        return Words(f"{value:,} rows that do not fit", f"有 {value:,} 行不符合")
    if value is not None:
        return Words(f"{value:,}", f"{value:,}")
    return (
        Words("what is allowed", "符合要求")
        if holds
        else Words("nothing that fits", "没有符合的值")
    )


@contextmanager
def _errors_as_audit_error() -> Iterator[None]:
    """Turn what Great Expectations or the database stumbles over into an AuditError."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (duckdb.Error, SQLAlchemyError, GreatExpectationsError, OSError) as error:
        found = f"that it cannot be made ({type(error).__name__}: {_harmless(str(error))})"
        raise AuditError("the audit", found, "a database that can be audited") from error
