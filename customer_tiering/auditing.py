"""The audit of a built warehouse by Great Expectations, before it may be published.

The shipped suites are of the raw tables, and the marts are compared with the last publication: what
models promise is tested by dbt. A suite may be added for any table.

It fails closed: what cannot be checked counts as wrong. It shows counts and never values, in the
Data Docs as in its messages, for the raw tables hold personal data.
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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb

from customer_tiering.audit_bounds import AuditBounds, read_bounds
from customer_tiering.configuration import Settings
from customer_tiering.errors import AuditError
from customer_tiering.messages import without_values
from customer_tiering.quoting import literal

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
    notes: list[str]


@dataclass(frozen=True)
class _Suite:
    """A suite, the table or query it is for, and where it comes from for messages."""

    suite: ExpectationSuite
    where: str
    schema: str = ""
    table: str = ""
    query: str = ""


def audit(
    work: Path, previous: Path | None, docs: Path, settings: Settings, project: Path
) -> AuditSummary:
    """Check the database `work` by the suites of a project, and beside the last publication.

    `project`/tests/expectations/SCHEMA/TABLE.json is the suite of a table, as Great Expectations
    writes it. `previous` is the file of the last publication, None when there is none. The
    Data Docs go to the folder `docs`, also when an expectation fails. Nothing is written elsewhere.
    Raises AuditError on the first expectation that does not hold or cannot be checked, on a suite
    that cannot be read or whose table is not there, and when there is no suite at all.
    """
    _gx()
    limits = read_bounds(work, previous, settings)
    with _errors_as_audit_error():
        suites = [*_read_suites(project / SUITES), *_bounds_suite(limits)]
        with _Database(work, project, settings) as database:
            results = _validate(database, suites, docs)
    for suite, result in zip(suites, results, strict=True):
        _check(suite, result, results)
    return AuditSummary(len(suites), sum(len(result.results) for result in results), limits.notes)


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
    # A name with a slash cannot become a page of the Data Docs.
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
            description=(
                f"{bound.measure}: {bound.low} or more"
                + (f" and {bound.high} or less" if bound.high is not None else "")
                + f" {bound.unit}, for it was {bound.before} in the last publication ({bound.var})"
            ),
        )
        for bound in limits.bounds
    ]
    suite = gx.ExpectationSuite(name=DRIFT, expectations=expectations)
    return [_Suite(suite, "marts beside the last publication", query=limits.query)]


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
            f"set memory_limit = {literal(os.environ.get('TIERING_MEMORY_LIMIT', '6GB'))}",
            # Beside the database, not where the command happens to run.
            f"set temp_directory = {literal(f'{work.resolve()}.tmp')}",
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


def _validate(database: _Database, suites: list[_Suite], docs: Path) -> list[Any]:
    """Run one checkpoint over all suites and write the Data Docs; gives the result of each."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    gx = _gx()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
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
    for identifier, result in run.run_results.items():
        _leave_values_out(result)
        context.validation_results_store.set(identifier, result)
    _write_docs(context, suites, docs)
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


def _leave_values_out(result: Any) -> None:
    """Keep numbers alone of what was found, and no more of an error than has no values in it."""
    for one in result.results:
        found = one.result or {}
        one.result = {name: value for name, value in found.items() if _is_number(value)}
        if errors := _errors(one):
            one.exception_info = {
                "raised_exception": True,
                "exception_message": _harmless(errors[0]),
                "exception_traceback": "",
            }


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


def _write_docs(context: Any, suites: list[_Suite], docs: Path) -> None:
    for site in list(context.variables.data_docs_sites):
        context.delete_data_docs_site(site)  # it would be in a temporary folder
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())}
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": store,
    }
    context.add_data_docs_site(site_name="audit", site_config=site)
    context.build_data_docs()
    for image in (docs / "static" / "images").glob("*"):
        if image.name != "favicon.ico":
            image.unlink()  # 3 MB that no page shows
    # A page that cannot be made is only logged.
    for suite in suites:
        folder = docs.joinpath("validations", *suite.suite.name.split("."))
        if not list(folder.rglob("*.html")):
            raise AuditError(str(docs), f"no page of {suite.suite.name}", "one for every suite")


# -- The verdict -----------------------------------------------------------------------------------


def _check(suite: _Suite, result: Any, results: list[Any]) -> None:
    """Raise AuditError on the first expectation of a suite that does not hold."""
    if len(result.results) != len(suite.suite.expectations):
        found = f"{len(result.results)} results"
        raise AuditError(suite.where, found, f"{len(suite.suite.expectations)}, one an expectation")
    failed = [one for one in result.results if one.success is not True or _errors(one)]
    if not failed:
        return
    one = failed[0]
    total = sum(x.success is not True for each in results for x in each.results)
    configuration = one.expectation_config
    kwargs = {k: v for k, v in configuration.kwargs.items() if k != "batch_id"}
    where = [suite.where]
    if columns := _columns(kwargs):
        where.append(f"column{'s' if len(columns) > 1 else ''} {', '.join(columns)}")
    where.append(configuration.type)
    more = f", and {total - 1} more that do not hold" if total > 1 else ""
    raise AuditError(
        ", ".join(where), f"{_found(one)}{more}", _allowed(kwargs, configuration.description)
    )


def _columns(kwargs: dict[str, Any]) -> list[str]:
    names = [kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs]
    return [*names, *kwargs.get("column_list", [])]


def _found(one: Any) -> str:
    if errors := _errors(one):
        return f"that it cannot be checked ({errors[0]})"
    found = one.result
    if "unexpected_count" in found and "element_count" in found:
        return f"{found['unexpected_count']:,} of {found['element_count']:,} rows that do not fit"
    if "observed_value" in found:
        rows = (
            " rows that do not fit"
            if one.expectation_config.type == "unexpected_rows_expectation"
            else ""
        )
        return f"{found['observed_value']:,}{rows}"
    return "nothing that fits"


def _allowed(kwargs: dict[str, Any], description: str | None) -> str:
    if description:
        return description
    words = {
        name: value
        for name, value in kwargs.items()
        if name not in ("column", "column_A", "column_B", "column_list")
    }
    return ", ".join(f"{name} {value}" for name, value in words.items()) or "every row fits"


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
