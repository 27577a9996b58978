"""Publishes in PostgreSQL: schemas beside those that readers see, then all names change in one transaction.

marts, quality, restricted, published_history   what readers see (restricted and published_history the owner alone)
work_marts, work_quality, work_restricted, history   what dbt builds
next_NAME                                        a publication that is being made
NAME_RUN                                         an earlier publication, kept for a rollback

The comment on a schema of a publication says of which run it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg2
from psycopg2 import errors
from psycopg2.extras import execute_values

from customer_tiering.errors import (
    BuildError,
    ConfigurationError,
    LockedError,
    SourceError,
    phrase,
)
from customer_tiering.postgres import copy_rows, rows_of, words_of
from customer_tiering.publishing import LOG, UNFINISHED, Description, errors_as_build_error
from customer_tiering.quoting import identifier, literal
from customer_tiering.runs import COLUMNS, DESCRIPTION, DESCRIPTIONS, Run, column_types

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812

# What is published under which name, by the schema in which dbt builds it.
PUBLISHED = {
    "work_marts": "marts",
    "work_quality": "quality",
    "work_restricted": "restricted",
    "history": "published_history",
}
FOR_READERS = ("marts", "quality")
HISTORY = ("published_tiers", "published_holdouts")
READER = "TIERING_POSTGRES_READER"  # the variable's name
USUAL_READER = "tiering_reader"
# Of which run a schema is.
_COMMENT = "Publication of run "
# One number for all refreshes of a database: "tiering" in ASCII.
LOCK = 0x74696572696E67
LOCK_SECONDS = 3  # for which one attempt to take a lock waits
PATIENCE = 60  # seconds after which no more attempts are made
# Types that DuckDB calls otherwise, or knows under the same name; what is not here becomes text.
TYPES = {
    "text": "varchar",
    "bigint": "bigint",
    "integer": "integer",
    "smallint": "smallint",
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "double precision": "double",
    "real": "float",
}


class Database:
    """The database in which dbt builds and readers read, on a connection that commits each statement.

    All methods raise BuildError when the database refuses or is gone.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.name = connection.info.dbname
        with self._errors("preparing the session"):
            for setting in (
                "timezone = 'UTC'",
                "datestyle = 'ISO, YMD'",
                "jit = off",
                "extra_float_digits = 1",
                "client_min_messages = warning",
            ):
                self._run(f"set {setting}")
            # while dbt builds, the connection that holds the lock has nothing to do
            self._run(
                "select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"
            )

    def lock(self) -> None:
        """Take the lock on refreshes of this database, for as long as the connection lasts. Raises LockedError."""
        with self._errors("the lock"):
            if not self._rows("select pg_try_advisory_lock(%s)", LOCK)[0][0]:
                raise LockedError(
                    f"another refresh of {self} is running, or a session of one that was killed has not "
                    "ended yet; nothing was done."
                )

    def check(self, raw_schema: str) -> None:
        """Raise SourceError without the rights that a refresh needs or without the raw schema, if any, ConfigurationError
        when a name of a publication is taken or a role is missing."""
        with self._errors("looking at the database"):
            [(role, may_create)] = self._rows(
                "select current_user, has_database_privilege(current_database(), 'create')"
            )
            if not may_create:
                allowed = "a role that may make schemas there (grant create on database)"
                raise SourceError(str(self), f"no right to make schemas for role {role}", allowed)
            name = raw_schema.rpartition(".")[2]
            usable = self._rows(
                "select has_schema_privilege(oid, 'usage') from pg_namespace where lower(nspname) = lower(%s)",
                name,
            )
            if raw_schema and (True,) not in usable:
                lack = f"no right to use schema {name}" if usable else f"no schema {name}"
                allowed = "the schema of the raw tables, which the role may read (var raw_schema)"
                raise SourceError(str(self), lack, allowed)
            there = sorted(self._schemas(PUBLISHED.values()))
            runs = {self._runs().get(schema) for schema in there}
            if there and (len(there) < len(PUBLISHED) or len(runs) > 1 or None in runs):
                found = f"schema{'s' if len(there) > 1 else ''} {', '.join(there)}, not as a refresh left them"
                allowed = f"none, or those of one publication: {', '.join(PUBLISHED.values())}"
                raise ConfigurationError(str(self), found, allowed)
            reader = os.environ.get(READER)
            if reader and not self._has_role(reader):
                where = f"environment variable {READER}"
                raise ConfigurationError(
                    where, f"{reader!r}, which is none", "a role of the server"
                )

    def published_run(self) -> str | None:
        """The run whose publication readers see; None before the first."""
        with self._errors("reading what is published"):
            return self._runs().get("marts")

    def has_kept(self, run_id: str) -> bool:
        """Whether the publication of a run is kept, besides the one that readers see."""
        with self._errors("reading what is published"):
            return not {kept(name, run_id) for name in PUBLISHED.values()} - {*self._runs()}

    def prepare(self, from_scratch: bool) -> None:
        """Remove what a run that was cut off left, and let dbt continue from the published history."""
        with self._errors("preparing the database"):
            for name in PUBLISHED.values():
                self._run(f"drop schema if exists next_{name} cascade")
            for table in HISTORY:
                self._run(f"drop table if exists history.{table} cascade")
            for table in {*HISTORY} & {*self._tables("published_history")}:
                self._run("create schema if not exists history")
                self._run(f"create table history.{table} as table published_history.{table}")
            if from_scratch:
                self._run("drop table if exists builds.last_build cascade")

    def source_findings(self) -> list[str]:
        """What the gate found in the raw tables, a sentence each, the largest first."""
        with self._errors("reading the findings"):
            rows = self._rows(
                "select message from intermediate.int_source_findings order by finding_number"
            )
            return [message for (message,) in rows]

    def hand_over_erased_ids(self, file: Path) -> None:
        """Write the erased ids into a Parquet file, when there are any."""
        with self._errors("reading the erased ids"):
            if not self._rows("select true where to_regclass('raw.erased_ids') is not null"):
                return
            ids = self._rows("select customer_id from raw.erased_ids")
        with duckdb.connect() as target:
            target.execute("create table erased_ids (customer_id varchar)")
            target.executemany("insert into erased_ids values (?)", [list(row) for row in ids])
            target.execute(f"copy erased_ids to {literal(file)} (format parquet)")

    def let_go_of_raw_tables(self) -> None:
        """Drop the one view over the source's own tables: they could not be replaced while it is there."""
        with self._errors("dropping the view of erased ids"):
            self._run("drop view if exists raw.erased_ids")

    # -- The mirror ----------------------------------------------------------------------------------

    def mirror(self, work: Path, others: Collection[tuple[str, str]]) -> None:
        """Make the DuckDB file `work` of what dbt built, under the names of a publication, all values exact.

        So it is audited, published as files and reported on as one that was built there. `others` are
        tables (schema, name) beside those that are published.
        """
        with self._errors(f"the copy into {work}"):
            tables = [
                (schema, table, schema if schema == "history" else name)
                for schema, name in PUBLISHED.items()
                for table in self._tables(schema)
            ]
            tables += [
                (schema, table, schema)
                for schema, table in sorted({*others})
                if table in self._tables(schema)
            ]
        self._copy(work, tables)

    def copy_schema(self, schema: str, names: Collection[str], file: Path) -> None:
        """Copy those tables of a schema that have one of some names, whatever the letter case, into a DuckDB file.

        Raises SourceError when there is none.
        """
        with self._errors(f"looking at schema {schema}"):
            tables = [table for table in self._tables(schema) if table.lower() in names]
        if not tables:
            found = f"no table of the raw contract in a schema {schema}"
            raise SourceError(str(self), found, "the schema that has customers and orders")
        self._copy(file, [(schema, table, schema) for table in tables])

    def _copy(self, file: Path, tables: Iterable[tuple[str, str, str]]) -> None:
        """Copy tables (schema, name, schema there) into a DuckDB file."""
        rows = file.with_name(f"{file.name}.csv{UNFINISHED}")
        with (
            errors_as_build_error(f"the copy of {self} into {file}"),
            self._errors(f"the copy into {file}"),
            duckdb.connect(str(file)) as target,
        ):
            try:
                for schema, table, name in tables:
                    target.execute(f"create schema if not exists {identifier(name)}")
                    relation = f"{identifier(schema)}.{identifier(table)}"
                    copy_rows(self.connection, f"select * from {relation}", rows)
                    target.execute(
                        f"create table {identifier(name)}.{identifier(table)} as "
                        f"select * from {rows_of(rows, self._columns(schema, table))}"
                    )
            finally:
                rows.unlink(missing_ok=True)

    def _columns(self, schema: str, table: str) -> dict[str, str]:
        """The types of columns in DuckDB's words, by name."""
        rows = self._rows(
            """
            select attname, format_type(atttypid, atttypmod)
            from pg_attribute
            where attrelid = cast(%s as regclass) and attnum > 0 and not attisdropped
            order by attnum
            """,
            f"{identifier(schema)}.{identifier(table)}",
        )
        return {name: _duckdb_type(data_type) for name, data_type in rows}

    # -- The publication -----------------------------------------------------------------------------

    def write_next(
        self,
        log: Sequence[Run],
        keys: Mapping[str, list[str]],
        descriptions: Mapping[str, Description],
    ) -> None:
        """Copy what dbt built into schemas beside those that readers see.

        The log of runs becomes quality.refresh_log. `keys` are key columns of tables by name,
        `descriptions` by `schema.table` become comments.
        """
        described = {**descriptions, LOG: Description(DESCRIPTION, DESCRIPTIONS)}
        with self._errors("the publication"):
            for schema, name in PUBLISHED.items():
                new = f"next_{name}"
                self._run(f"drop schema if exists {new} cascade")
                self._run(f"create schema {new}")
                self._run(f"comment on schema {new} is {literal(_COMMENT + log[-1].run_id)}")
                for table in self._tables(schema):
                    target = f"{new}.{identifier(table)}"
                    self._run(f"create table {target} as table {schema}.{identifier(table)}")
                    if name in FOR_READERS and table in keys:
                        columns = ", ".join(identifier(column) for column in keys[table])
                        self._run(f"alter table {target} add primary key ({columns})")
                if name == "quality":
                    self._write_log(f"{new}.{LOG.partition('.')[2]}", log)
                for table in self._tables(new):
                    meaning = described.get(f"{'history' if schema == 'history' else name}.{table}")
                    self._comment(new, table, meaning)
                    self._run(f"analyze {new}.{identifier(table)}")
            self._grant()

    def _write_log(self, table: str, log: Sequence[Run]) -> None:
        """Write the log of runs; of messages, which may name files and figures, what their exit codes mean."""
        columns = ", ".join(f"{name} {kind}" for name, kind in column_types().items())
        self._run(f"create table {table} ({columns})")
        rows = [tuple(asdict(replace(run, message=phrase(run.exit_code))).values()) for run in log]
        with self.connection.cursor() as cursor:
            execute_values(cursor, f"insert into {table} ({', '.join(COLUMNS)}) values %s", rows)

    def _comment(self, schema: str, table: str, meaning: Description | None) -> None:
        if meaning is None:
            return
        target = f"{schema}.{identifier(table)}"
        comments = [f"comment on table {target} is {literal(meaning.table)}"]
        comments += [
            f"comment on column {target}.{identifier(column)} is {literal(meaning.columns[column])}"
            for column in self._columns(schema, table)
            if column in meaning.columns
        ]
        self._run("; ".join(comments))

    def _grant(self) -> None:
        """Let the role of the readers, if there is one, read what has no personal data."""
        reader = os.environ.get(READER) or USUAL_READER
        if self._has_role(reader):
            for name in FOR_READERS:
                role = identifier(reader)
                self._run(f"grant usage on schema next_{name} to {role}")
                self._run(f"grant select on all tables in schema next_{name} to {role}")

    def show_next(self) -> None:
        """Let readers see what `write_next` made, in one transaction."""
        self._swap({name: f"next_{name}" for name in PUBLISHED.values()})

    def show_kept(self, run_id: str) -> None:
        """Let readers see the publication of a run again, in one transaction."""
        self._swap({name: kept(name, run_id) for name in PUBLISHED.values()})

    def _swap(self, sources: Mapping[str, str]) -> None:
        """Rename schemas: those that readers see are kept under the name of their run. A comment goes with its schema."""
        before = self.published_run()
        statements = [
            f"alter schema {name} rename to {kept(name, before)}" for name in sources if before
        ]
        statements += [
            f"alter schema {source} rename to {name}" for name, source in sources.items()
        ]
        self._patiently(f"the publication in {self}", statements)

    def drop_all_but(self, runs: Collection[str]) -> list[str]:
        """Remove the publications that are kept of other runs; gives the schemas that could not go.

        That is those at which a reader still looks, or of which somebody has made a view.
        """
        left = []
        for schema in self._kept_schemas(lambda run: run not in runs):
            try:
                with self._errors("tidying"):
                    tables = [f"{schema}.{identifier(table)}" for table in self._tables(schema)]
                    statements = [f"drop table {', '.join(tables)}"] if tables else []
                    self._once([*statements, f"drop schema {schema}"])
            except BuildError:
                left.append(schema)
        return left

    def drop(self, runs: Collection[str]) -> None:
        """Remove the publications that are kept of runs, with all that was made of them, such as views."""
        for schema in self._kept_schemas(lambda run: run in runs):
            self._patiently(
                f"removing schema {schema} of {self}, which may hold erased persons,",
                [f"drop schema {schema} cascade"],
            )

    def views_of_kept(self) -> list[str]:
        """The views that others have made of publications which readers no longer see, and so show old figures."""
        schemas = self._kept_schemas(lambda run: True)
        with self._errors("looking for views"):
            found = self._rows(
                """
                select distinct format('%%s.%%s', view_schemas.nspname, views.relname)
                from pg_depend as uses
                inner join pg_rewrite as rules on uses.objid = rules.oid
                inner join pg_class as views on rules.ev_class = views.oid
                inner join pg_namespace as view_schemas on views.relnamespace = view_schemas.oid
                inner join pg_class as tables on uses.refobjid = tables.oid
                inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
                where
                    uses.classid = cast('pg_rewrite' as regclass)
                    and uses.refclassid = cast('pg_class' as regclass)
                    and schemas.nspname = any(%s)
                    and views.oid <> tables.oid
                order by 1
                """,
                schemas,
            )
            return [name for (name,) in found]

    # -- Statements ----------------------------------------------------------------------------------

    def __str__(self) -> str:
        return f"PostgreSQL database {self.name}"

    def _run(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query, values or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _has_role(self, name: str) -> bool:
        return bool(self._rows("select true from pg_roles where rolname = %s", name))

    def _schemas(self, names: Collection[str]) -> list[str]:
        """Those of some schemas that are there."""
        found = self._rows("select nspname from pg_namespace where nspname = any(%s)", [*names])
        return [name for (name,) in found]

    def _tables(self, schema: str) -> list[str]:
        """The tables and views of a schema."""
        found = self._rows(
            "select relname from pg_class where relkind in ('r', 'v', 'm', 'p') "
            "and relnamespace = (select oid from pg_namespace where nspname = %s) order by 1",
            schema,
        )
        return [name for (name,) in found]

    def _runs(self) -> dict[str, str]:
        """The run of each schema of a publication."""
        found = self._rows("select nspname, obj_description(oid, 'pg_namespace') from pg_namespace")
        return {
            name: comment.removeprefix(_COMMENT)
            for name, comment in found
            if comment and comment.startswith(_COMMENT)
        }

    def _kept_schemas(self, is_wanted: Any) -> list[str]:
        with self._errors("reading what is published"):
            return sorted(
                schema
                for schema, run in self._runs().items()
                if schema in {kept(name, run) for name in PUBLISHED.values()} and is_wanted(run)
            )

    def _patiently(self, what: str, statements: Sequence[str]) -> None:
        """Run statements in one transaction, again and again while others hold locks."""
        began = monotonic()
        while True:
            try:
                with self._errors(what):
                    return self._once(statements)
            except _OthersHoldLocksError:
                if monotonic() - began > PATIENCE:
                    raise BuildError(
                        f"{what} failed: other sessions hold locks; it was tried for {PATIENCE} s."
                    ) from None
                sleep(0.2)

    def _once(self, statements: Sequence[str]) -> None:
        """Run statements in one transaction."""
        try:
            self._run("begin")
            self._run(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            for statement in statements:
                self._run(statement)
            self._run("commit")
        except BaseException:
            with suppress(psycopg2.Error):
                self._run("rollback")
            raise

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn what the database refuses into a BuildError about `what`, without values of rows."""
        try:
            yield
        except psycopg2.Error as error:
            # the latter is what a schema says that another transaction has just changed
            is_held = isinstance(
                error, errors.LockNotAvailable | errors.DeadlockDetected | errors.InternalError_
            )
            where = "" if str(self) in what else f" in {self}"
            kind = _OthersHoldLocksError if is_held else BuildError
            raise kind(f"{what}{where} failed: {words_of(error)}.") from None


class _OthersHoldLocksError(BuildError):
    """A statement had to wait too long for others."""


def kept(name: str, run_id: str) -> str:
    """The name of a schema of an earlier publication."""
    return f"{name}_{re.sub('[^a-z0-9]', '_', run_id.lower())}"


def _duckdb_type(data_type: str) -> str:
    if fitting := re.fullmatch(r"numeric\((\d+),(\d+)\)", data_type):
        return f"decimal({fitting[1]}, {fitting[2]})" if int(fitting[1]) <= 38 else "varchar"
    return TYPES.get(data_type, "varchar")
