"""What a refresh would say of raw tables, before there is one: the gate's own models, on figures of every column.

Nothing is built and nothing is kept: the tables are read into a private database that is removed at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering import encodings
from customer_tiering.configuration import Configuration
from customer_tiering.errors import ConfigurationError
from customer_tiering.mappings import forms_of, notes_on_files, tables_beside
from customer_tiering.onboarding.findings import Finding, line_of_rows
from customer_tiering.onboarding.inspected_tables import (
    POSTGRES_SCHEMA,
    SCHEMA,
    Landed,
    is_required,
    land,
    land_mapped,
    land_postgres_schema,
    land_schema,
)
from customer_tiering.onboarding.profiling import SHOWN, Column, profile, read
from customer_tiering.onboarding.rendering import Models
from customer_tiering.quoting import identifier, literal
from customer_tiering.reading import create_reading_functions
from customer_tiering.sources import check_content, check_contents, meta, notes_on_folder

MEMORY = "1500MB"
THREADS = 2
FEW_ROWS = 100_000  # of which staging is made once
# What the gate reads of orders: to store the rest of them takes longer than to compute it.
ORDER_COLUMNS = (
    "order_id",
    "customer_key",
    "member_key",
    "currency_code",
    "reject_reason",
    "order_amount",
    "order_amount_reporting",
    "is_test",
    "is_rejected",
)


@dataclass(frozen=True)
class Table:
    """A raw table: its rows, the rows that are accepted, and its columns. `differing` are keys by the column in which they differ."""

    name: str
    rows: int
    accepted: int
    columns: list[Column]
    missing: list[str]
    extra: list[str]
    repeated_keys: int = 0
    differing: dict[str, int] = field(default_factory=dict)
    first_day: date | Decimal | None = None
    last_day: date | Decimal | None = None


@dataclass(frozen=True)
class Currency:
    """A currency of the orders; `is_known` when it is the reporting currency or has rates."""

    code: str
    orders: int
    amount: Decimal | None
    is_known: bool


@dataclass(frozen=True)
class Inspection:
    """What was found of raw tables, the findings in the order of what they cost."""

    tables: list[Table]
    findings: list[Finding]
    currencies: list[Currency]
    orders: dict[str, int]
    notes: list[str]

    @property
    def stops(self) -> bool:
        """Whether a refresh would stop."""
        return any(finding.stops for finding in self.findings)


def inspect(folder: Path, project: Path, configuration: Configuration) -> Inspection:
    """Inspect the raw tables of a folder or of FILE.duckdb:SCHEMA or postgres:SCHEMA, or those that the configuration's mapping makes of a folder.

    Raises ConfigurationError for a mapping that cannot be run, and SourceError where there is no such schema or a file of
    which the whole cannot be read.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tiering-inspect-") as private,
        duckdb.connect(
            f"{private}/inspected.duckdb",
            config={
                "memory_limit": MEMORY,
                "threads": THREADS,
                "temp_directory": private,
                "preserve_insertion_order": False,
            },
        ) as connection,
    ):
        models = _begin(project, configuration, connection)
        required = {table["name"]: is_required(table) for table in models.raw_tables}
        mapping, notes = configuration.mapping, []
        try:
            if schema := SCHEMA.fullmatch(str(folder)):
                landed = land_schema(models, *schema.groups())
            elif schema := POSTGRES_SCHEMA.fullmatch(str(folder)):
                copied = Path(private) / "copied.duckdb"
                landed = land_postgres_schema(models, schema[1], copied)
            elif mapping is None:
                notes = notes_on_folder(folder, required)
                landed = {table["name"]: land(models, table, folder) for table in models.raw_tables}
            else:
                notes = notes_on_files(mapping, folder, project)
                landed = land_mapped(models, project, folder, mapping)
                beside = tables_beside(mapping, folder, project)
                for table in models.raw_tables:
                    if table["name"] in beside:
                        landed[table["name"]] = land(models, table, folder)
            return _inspected(models, landed, notes)
        except (duckdb.Error, ConfigurationError):
            # a file that cannot be read to its end is the reason, if there is one
            if mapping is not None:
                for file, form in forms_of(mapping, folder).items():
                    check_content(file, form)
            elif folder.is_dir():
                check_contents(folder, required)
            raise


def _begin(
    project: Path, configuration: Configuration, connection: duckdb.DuckDBPyConnection
) -> Models:
    """An empty database, as before the first build."""
    for statement in (
        "set TimeZone = 'UTC'",
        "set force_compression = 'uncompressed'",  # it is read a few times and then removed
        "create schema raw",
        "create schema builds",
        "create table builds.customer_keys (resolved_customer_id varchar, customer_key integer)",
    ):
        connection.execute(statement)
    encodings.register(connection)
    create_reading_functions(connection)
    # what a mapping makes is a raw table like any other, but for the places of its rows
    settings = configuration.settings.model_copy(update={"mapping": ""})
    return Models(project, settings, connection)


def _inspected(models: Models, landed: Mapping[str, Landed], notes: list[str]) -> Inspection:
    connection = models.connection
    counts = " union all ".join(f"select count(*) from raw.{name}" for name in landed)
    models.has_views = max(rows for (rows,) in connection.execute(counts).fetchall()) > FEW_ROWS
    repeated = {
        declared["name"]: _repeated_keys(models, declared, landed[declared["name"]])
        for declared in models.raw_tables
    }
    deduplicated = models.macros.deduplicated

    def deduplicate(source: str, table: str, columns: Sequence[str]) -> str:
        """The same rows at a third of the time, where there is nothing to remove."""
        if repeated[table][0]:
            return str(deduplicated(source, table, columns=columns))
        base = models.make(f"base_{source}__{table}")
        return f"select {', '.join(columns)} from {base} where reject_reason is null"

    with models.macro_as("deduplicated", deduplicate):
        models.make("int_orders", ORDER_COLUMNS)
        models.make("int_source_counts")
    connection.execute("create table builds.published_counts as from int_source_counts where false")
    findings = [finding for table in landed.values() for finding in table.findings]
    findings += _gate_findings(models, landed)
    profiles = profile(
        models,
        [
            (table, list(landed[table["name"]].present))
            for table in models.raw_tables
            if landed[table["name"]].present
        ],
    )
    accepted = dict(
        connection.execute("select source_table, rows_accepted from int_source_counts").fetchall()
    )
    tables = [
        _table(
            declared,
            landed[declared["name"]],
            accepted,
            *profiles[declared["name"]],
            *repeated[declared["name"]],
        )
        for declared in models.raw_tables
        if declared["name"] in profiles
    ]
    findings += [finding for table in tables for finding in _keys_at_fault(models, table)]
    findings = list(_with_other_faults(models, {table.name: table for table in tables}, findings))
    required = {declared["name"] for declared in models.raw_tables if is_required(declared)}
    findings.sort(
        key=lambda one: (not one.stops, one.table not in required, -one.cost, one.column or "")
    )
    return Inspection(tables, findings, _currencies(models), _orders(models), notes)


def _gate_findings(models: Models, landed: Mapping[str, Landed]) -> Iterator[Finding]:
    """The sentences of the gate, on what is beyond the limits and on what is not."""
    models.make("int_exceeded_limits")
    models.connection.execute(
        "create table found_faults as select *, false as is_since_publication "
        f"from ({models.macros.source_measures('int_source_counts')}) where rows_at_fault > 0"
    )
    models.replace("int_exceeded_limits", "found_faults")
    models.make("int_source_findings")
    for (
        table,
        finding,
        column,
        reason,
        shown,
        message,
        rows_at_fault,
        rows,
        stops,
    ) in models.connection.execute(
        """
            select
                findings.source_table, findings.finding, findings.column_name, findings.reject_reason,
                findings.shown_values, findings.message, findings.rows_at_fault, findings.rows_checked,
                exceeded.source_table is not null
            from int_source_findings as findings
            left join int_exceeded_limits as exceeded
                on findings.source_table = exceeded.source_table and findings.finding = exceeded.finding
            order by findings.finding_number
            """
    ).fetchall():
        declared = next(one for one in models.raw_tables if one["name"] == table)
        present = landed[table].present
        if column and present and column not in present:
            continue  # the file has no such column, which has been said
        line = line_of_rows(models, declared, finding, column, reason, shown)
        yield Finding(table, finding, message, rows_at_fault, rows, stops, column, reason, line)


def _table(
    declared: Mapping[str, Any],
    landed: Landed,
    accepted: Mapping[str, int],
    rows: int,
    columns: list[Column],
    repeated: int,
    differing: dict[str, int],
) -> Table:
    name, dated_by = declared["name"], declared["config"]["meta"].get("dated_by")
    dated = next((column for column in columns if column.name == dated_by), None)
    return Table(
        name,
        rows,
        accepted[name],
        columns,
        [column for column in declared["columns"] if column not in landed.present],
        landed.extra,
        repeated,
        differing,
        dated.first if dated else None,
        dated.last if dated else None,
    )


def _repeated_keys(
    models: Models, declared: Mapping[str, Any], landed: Landed
) -> tuple[int, dict[str, int]]:
    """How many keys have several rows, and how many of these differ in which column."""
    columns, connection = declared["columns"], models.connection
    raw, keys = f"raw.{declared['name']}", declared["config"]["meta"]["key"]
    read_keys = [
        value if meta(columns[name]).get("required") else f"coalesce({value}, '')"
        for name in keys
        for value in [read(models, columns[name])]
    ]
    key, is_there = (
        f"hash({', '.join(read_keys)})",
        f"{' is not null and '.join(read_keys)} is not null",
    )
    connection.execute(
        f"create or replace temp table repeated_keys as select {key} as key from {raw} where {is_there} "
        "group by 1 having count(*) > 1"
    )
    if not connection.execute("select 1 from repeated_keys limit 1").fetchall():
        return 0, {}
    others = [name for name in landed.present if name not in keys]
    count, *differing = connection.execute(
        f"""
        select count(*), {", ".join(f"count(*) filter ({identifier(name)} > 1)" for name in others) or "null"}
        from (
            select
                {key} as key,
                {", ".join(f"count(distinct coalesce(read_text({identifier(name)}), '')) as {identifier(name)}" for name in others) or "null"}
            from {raw}
            where {key} in (select key from repeated_keys)
            group by 1
        )
        """
    ).fetchall()[0]
    found = {name: rows for name, rows in zip(others, differing, strict=False) if rows}
    return count, dict(sorted(found.items(), key=lambda one: -one[1]))


def _keys_at_fault(models: Models, table: Table) -> Iterator[Finding]:
    """Repeated keys of the tables of which the gate does not speak."""
    declared = next(one for one in models.raw_tables if one["name"] == table.name)
    if table.repeated_keys and "undecided_duplicates" not in declared["config"]["meta"].get(
        "limits", {}
    ):
        key = ", ".join(declared["config"]["meta"]["key"])
        differ = ", ".join(f"{name} ({count:,})" for name, count in table.differing.items())
        message = (
            f"{table.name}: {table.repeated_keys:,} keys ({key}) have several rows"
            f"{f' that differ in {differ}' if differ else ', all of them copies'}: one row per key is kept."
        )
        yield Finding(table.name, "repeated_keys", message, table.repeated_keys, table.rows, False)


def _with_other_faults(
    models: Models, tables: Mapping[str, Table], findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Findings, and faults of which the gate does not speak: behind the first one of a row, and of values that are left out."""
    yield from (one for one in findings if one.column is None)
    said = {(one.table, one.column, one.reason): one for one in findings if one.column}
    for declared in models.raw_tables:
        name = declared["name"]
        if name not in tables or not tables[name].rows:
            continue
        of = tables[name].rows
        rejecting = models.macros.rejecting_columns(list(declared["columns"].values()))
        present = {column.name for column in tables[name].columns}
        for column, reason, shown, fault, advice, rows in _faults(models, declared):
            if column not in present:
                continue
            key, rejects = (name, column, reason), column in rejecting
            if key in said:
                said[key] = replace(said[key], rows_in_all=rows)
                continue
            effect = "rows rejected too" if rejects else "values left out"
            said[key] = Finding(
                table=name,
                finding="rejected" if rejects else "nulled",
                message=f"{name}: {rows:,} of {of:,} {effect}: {fault} {advice}",
                rows_at_fault=rows,
                rows=of,
                stops=rejects and _is_beyond(models, declared, rows, of),
                column=column,
                reason=reason,
                line=line_of_rows(models, declared, "rejected", column, reason, shown),
                rows_in_all=rows,
            )
    yield from said.values()


def _faults(models: Models, declared: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Every fault of every column of a table, in the gate's words: its base model, which lists them all as those of nulled values."""
    name, macro = declared["name"], models.macros
    columns = list(declared["columns"].values())
    checked = [*macro.rejecting_columns(columns), *macro.nulled_when_bad(columns)]
    about = ("source_table", "column_name", "reject_reason")
    with models.macro_as("nulled_when_bad", lambda _columns: checked):
        base = models.query(f"base_{declared['source_name']}__{name}")
    with models.macro_as("rejecting_columns", lambda declared: [one["name"] for one in declared]):
        advice = macro.advice_in_words(*about)
    shown = macro.shown_value(*about[:2], "raw_value", "is_personal")
    return models.connection.execute(
        f"""
        with faults as (
            select raw_record, unnest(string_split(trim(nulled_values, '|'), '|')) as fault
            from ({base})
            where has_nulled_values
        ),

        named as (
            select
                {literal(name)} as source_table,
                split_part(fault, ':', 1) as column_name,
                split_part(fault, ':', 2) as reject_reason,
                raw_record
            from faults
        ),

        valued as (
            select
                source_table,
                column_name,
                reject_reason,
                {macro.json_value("raw_record", "'$.' || column_name")} as raw_value,
                count(*) as row_count
            from named
            group by 1, 2, 3, 4
        ),

        personal_values as ({macro.personal_values("valued")}),

        judged as (
            select valued.*, personal_values.raw_value is not null as is_personal
            from valued
            left join personal_values on valued.raw_value = personal_values.raw_value
        ),

        shown as (
            select source_table, column_name, reject_reason, {shown} as shown_value, sum(row_count) as row_count
            from judged
            group by 1, 2, 3, 4
        ),

        listed as (
            select
                source_table,
                column_name,
                reject_reason,
                array_to_string(list(
                    shown_value || ' (' || {macro.in_thousands("row_count")} || ')' order by row_count desc, shown_value
                )[:{SHOWN}], ', ') as shown_values,
                sum(row_count) as row_count
            from shown
            group by 1, 2, 3
        )

        select
            column_name,
            reject_reason,
            nullif(shown_values, ''),
            column_name || ' ' || {macro.fault_in_words(*about)} || coalesce(': ' || nullif(shown_values, ''), '') || '.',
            {advice},
            cast(row_count as bigint)
        from listed
        """
    ).fetchall()


def _is_beyond(models: Models, declared: Mapping[str, Any], rows: int, of: int) -> bool:
    """Whether so many rejected rows stop a refresh, as int_exceeded_limits says it."""
    limits = models.macros.source_limits(declared["source_name"], declared["name"])
    return rows == of or (rows >= 10 and 100 * rows > limits.get("rejected", 100) * of)


def _currencies(models: Models) -> list[Currency]:
    orders = models.make("int_orders")
    return [
        Currency(*row)
        for row in models.connection.execute(
            f"select currency_code, count(*), sum(order_amount), bool_and(reject_reason is distinct from 'no_exchange_rate') "
            f"from {orders} group by 1 order by 2 desc, 1"
        ).fetchall()
    ]


def _orders(models: Models) -> dict[str, int]:
    """How many orders are of a customer whom customers has, of one whom it does not have, and of nobody."""
    row = models.connection.execute(
        "select rows_of_known_customers, rows_of_unknown_customers, rows_of_guests "
        "from int_source_counts where source_table = 'orders'"
    ).fetchall()[0]
    return dict(
        zip(("of_known_customers", "of_unknown_customers", "of_guests"), map(int, row), strict=True)
    )
