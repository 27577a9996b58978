"""The models with what the last build left, without dbt: a second or two where dbt takes twenty.

What dbt does with incremental models is done here by hand; their SQL is that which dbt compiles when
they are there. Nothing is landed: raw rows are given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from compiled_project import CompiledProject, RawTables, compile_project

from customer_tiering.errors import WorkDatabaseError

PRE_HOOK = (
    "delete from {relation} where {period} not in "
    "(select {period} from intermediate.int_review_periods where is_kept)"
)


@dataclass(frozen=True)
class IncrementalProject:
    """The project compiled twice: for a new database and for one in which the models are.

    ``periods`` gives by model that keeps periods the column that says which one a row belongs to.
    """

    anew: CompiledProject
    again: CompiledProject
    periods: Mapping[str, str]

    def build(self, work: Path, rows: RawTables, basis: str, after: Callable[[int], None]) -> None:
        """Build on top of what the last build left in a database file; ``after`` hears of each model.

        Raises WorkDatabaseError as dbt's landing does when the last build was by another basis, or was not
        ended.
        """
        with duckdb.connect(str(work)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for schema in {"raw", "rules", "builds", *(m.schema for m in self.anew.models)}:
                connection.execute(f"create schema if not exists {schema}")
            if _begin(connection, basis):
                self.anew._load_seeds(connection, {})
            connection.execute("begin")
            for name in self.anew.raw_columns:
                connection.execute(f"drop table if exists raw.{name}")
            self.anew._land(connection, rows)
            after(0)
            for number, model in enumerate(self.anew.models, start=1):
                self._make(connection, model, self.again.models[number - 1])
                after(number)
            _end(connection)
            connection.execute("commit")

    def _make(self, connection: duckdb.DuckDBPyConnection, anew, again) -> None:
        there = connection.execute(
            "select 1 from duckdb_tables() where schema_name = ? and table_name = ?",
            [anew.schema, anew.relation.rpartition(".")[2].strip('"')],
        ).fetchone()
        if anew.name in self.periods and there:
            period = self.periods[anew.name]
            connection.execute(PRE_HOOK.format(relation=anew.relation, period=period))
            connection.execute(f"insert into {again.relation} by name ({again.sql}\n)")
            return
        kind = "view" if anew.is_view else "table"
        connection.execute(f"create or replace {kind} {anew.relation} as ({anew.sql}\n)")


def compile_both_ways(anew: CompiledProject, folder: Path, **project_vars) -> IncrementalProject:
    """Have dbt compile the project, compiled already for a new database, for one in which it is."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / "work.duckdb")) as connection:
        for model in anew.models:
            connection.execute(f"create schema if not exists {model.schema}")
            if not model.is_view:
                connection.execute(f"create table {model.relation} (nothing integer)")
    again = compile_project(folder, **project_vars)
    by_name = {model.name: model for model in again.models}
    manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    periods = {}
    for node in manifest["nodes"].values():
        if node["config"].get("materialized") == "incremental":
            hook = node["config"]["pre-hook"][0]["sql"]
            periods[node["name"]] = "period_end" if "period_end" in hook else "period_index"
    return IncrementalProject(
        anew=anew,
        again=CompiledProject(
            models=tuple(by_name[model.name] for model in anew.models),
            raw_columns=again.raw_columns,
            seeds=again.seeds,
            has_any_date=again.has_any_date,
        ),
        periods=periods,
    )


def _begin(connection: duckdb.DuckDBPyConnection, basis: str) -> bool:
    """Note that a build is under way; whether it is the first one in this database."""
    last = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'builds' and table_name = 'last_build'"
    ).fetchone()
    if last:
        found = connection.execute("select basis, is_complete from builds.last_build").fetchone()
        if found != (basis, True):
            raise WorkDatabaseError("work.duckdb: found one that this build cannot go on from.")
        connection.execute("update builds.last_build set is_complete = false")
        return False
    connection.execute(
        "create table builds.last_build as select cast($1 as varchar) as basis, false as is_complete, "
        "cast(null as date) as as_of_date, cast(null as integer) as periods, "
        "cast(null as integer) as periods_kept",
        [basis],
    )
    connection.execute(
        "create table builds.fact_fingerprints "
        "(fact_table varchar, known_on date, fingerprint decimal(38, 0))"
    )
    connection.execute(
        "create table builds.customer_keys (resolved_customer_id varchar, customer_key integer)"
    )
    return True


def _end(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in (
        "create or replace table builds.fact_fingerprints as from intermediate.int_fact_fingerprints",
        "create or replace table builds.customer_keys as select distinct resolved_customer_id, "
        "customer_key from intermediate.int_customer_keys",
        "update builds.last_build set is_complete = true, "
        "as_of_date = (select as_of_date from intermediate.int_as_of), "
        "periods = (select count(*) from intermediate.int_review_periods), "
        "periods_kept = (select count(*) from intermediate.int_review_periods where is_kept)",
        "update intermediate.int_review_periods set is_kept = false where is_kept",
    ):
        connection.execute(statement)
