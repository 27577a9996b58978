"""What a refresh would say of raw tables, before there is one: the gate's own models, on figures of every column.

Nothing is built and nothing is kept: the tables are read into a private database that is removed at the end.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from customer_tiering import encodings
from customer_tiering.configuration import Configuration
from customer_tiering.errors import SourceError
from customer_tiering.mappings import PLACE, MappingFolder, check_mapping, notes_on_files
from customer_tiering.messages import without_values
from customer_tiering.profiling import SHOWN, Column, forms_that_read, profile, read
from customer_tiering.quoting import identifier, literal
from customer_tiering.reading import create_reading_functions
from customer_tiering.rendering import Models
from customer_tiering.sniffing import Sniffed, query_of_files, sniff
from customer_tiering.sources import (
    check_contents,
    check_folder,
    check_raw_folder,
    contract_columns,
    contract_tables,
    faults_of_header,
    faults_of_names,
    format_of,
    notes_on_folder,
    table_files,
)

MEMORY = "1500MB"
THREADS = 2
SCHEMA = re.compile(r"(.+\.(?:duckdb|db)):(\w+)")
FEW_ROWS = 100_000  # of which staging is made once


@dataclass(frozen=True)
class Finding:
    """Something that a refresh would stop at, or reject, or leave out, and the line that mends it, where one does.

    `message` is the gate's where it speaks of it. Of a row it speaks of the first fault alone: `rows_in_all` are those that
    have this one too.
    """

    table: str
    finding: str
    message: str
    rows_at_fault: int
    rows: int
    stops: bool
    column: str | None = None
    reason: str | None = None
    line: str = ""
    rows_in_all: int = 0

    @property
    def cost(self) -> float:
        """The share of the table's rows that it costs; all of them where the table cannot be read."""
        return max(self.rows_at_fault, self.rows_in_all) / self.rows if self.rows else 1.0


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


def is_in_contract(folder: Path, project: Path) -> bool:
    """Whether a folder has a required table of the raw contract, by its name and by half of its required columns. A schema is.

    Raises SourceError when there is no such folder.
    """
    if SCHEMA.fullmatch(str(folder)):
        return True
    check_folder(folder)
    for name, columns in contract_columns(project).items():
        required = {column for column, is_required in columns.items() if is_required}
        if contract_tables(project)[name]:
            for file in [*table_files(folder, {name: True})][:1]:
                with suppress(SourceError):
                    header = {column.lower() for column in sniff(file).columns}
                    if 2 * len(required & header) >= len(required):
                        return True
    return False


@dataclass
class _Landed:
    """A raw table as it was read: the names of its columns as they stand there, and why it could not be."""

    present: dict[str, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def inspect(folder: Path, project: Path, configuration: Configuration) -> Inspection:
    """Inspect the raw tables of a folder or of FILE.duckdb:SCHEMA, or those that the configuration's mapping makes of a folder.

    Raises ConfigurationError for a mapping that cannot be run, and SourceError where there is no such schema.
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
        notes: list[str] = []
        if schema := SCHEMA.fullmatch(str(folder)):
            landed = _land_schema(models, *schema.groups())
        elif configuration.mapping is None:
            notes = notes_on_folder(folder, _required(models))
            landed = {table["name"]: _land(models, table, folder) for table in models.raw_tables}
        else:
            notes = notes_on_files(configuration.mapping, folder)
            landed = _land_mapped(models, project, folder, configuration.mapping)
        return _inspected(models, landed, notes)


def _begin(
    project: Path, configuration: Configuration, connection: duckdb.DuckDBPyConnection
) -> Models:
    """An empty database, as before the first build."""
    for statement in (
        "set TimeZone = 'UTC'",
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


def _required(models: Models) -> dict[str, bool]:
    return {table["name"]: _is_required(table) for table in models.raw_tables}


def _is_required(declared: Mapping[str, Any]) -> bool:
    return bool(declared["config"]["meta"].get("required"))


# Reading


def _land(models: Models, table: Mapping[str, Any], folder: Path) -> _Landed:
    """Read a table of a folder, whatever is wrong with how its files are written."""
    name, landed = table["name"], _Landed()
    try:
        check_raw_folder(folder, {name: _is_required(table)})
        files = list(table_files(folder, {name: True}))
    except SourceError as error:
        landed.findings.append(Finding(name, "unreadable_file", str(error), 0, 0, stops=True))
        files = []
    declared = {column: _is_required(one) for column, one in table["columns"].items()}
    written: dict[Path, Sniffed] = {}
    for file in files:
        faults = [f"raw file {file}{fault}" for fault in faults_of_header(file, declared)]
        if faults and format_of(file) == "csv":
            try:
                written[file] = sniff(file)
            except SourceError as error:
                faults = [str(error)]
        for fault in faults:
            line = _line_of_file(name, file, folder, written.get(file))
            landed.findings.append(
                Finding(name, "file_at_fault", fault, 0, 0, stops=True, line=line)
            )
    try:
        forms = {
            file: written.get(file, Sniffed([], format_of(file) == "parquet")) for file in files
        }
        _make_raw(models, table, query_of_files(forms), landed)
    except (duckdb.Error, OSError, ValueError) as error:
        landed.findings.append(
            Finding(name, "unreadable_file", _fault_of_content(folder, name, error), 0, 0, True)
        )
        _make_raw(models, table, "", landed)
    return landed


def _fault_of_content(folder: Path, name: str, error: Exception) -> str:
    try:
        check_contents(folder, {name: True})
    except SourceError as fault:
        return str(fault)
    return f"raw table {name}: found content that cannot be read ({' '.join(without_values(str(error)).split())})"


def _land_schema(models: Models, file: str, schema: str) -> dict[str, _Landed]:
    """Read the tables of a schema of a DuckDB file, as they are."""
    connection = models.connection
    try:
        connection.execute(f"attach {literal(file)} as source (read_only)")
    except duckdb.Error:
        raise SourceError(file, "no DuckDB file that can be read", "FILE.duckdb:SCHEMA") from None
    tables = {
        name.lower(): f"source.{identifier(schema_name)}.{identifier(name)}"
        for schema_name, name in connection.execute(
            "select table_schema, table_name from information_schema.tables "
            f"where table_catalog = 'source' and lower(table_schema) = {literal(schema.lower())}"
        ).fetchall()
    }
    if not tables:
        raise SourceError(file, f"no table in a schema {schema}", "FILE.duckdb:SCHEMA")
    found = {}
    for table in models.raw_tables:
        name, landed = table["name"], _Landed()
        found[name] = landed
        where = f"raw table {schema}.{name}"
        _make_raw(models, table, tables.get(name, ""), landed)
        if name in tables:
            declared = {column: _is_required(one) for column, one in table["columns"].items()}
            faults = faults_of_names([*landed.present, *landed.extra], declared)
        else:
            faults = iter([" is missing; it is required."] if _is_required(table) else [])
        landed.findings += [
            Finding(name, "unreadable_table", f"{where}{fault}", 0, 0, True) for fault in faults
        ]
    return found


def _land_mapped(
    models: Models, project: Path, folder: Path, mapping: MappingFolder
) -> dict[str, _Landed]:
    queries = check_mapping(models.connection, mapping, folder, project)
    found = {}
    for table in models.raw_tables:
        found[table["name"]] = _Landed()
        _make_raw(models, table, queries.get(table["name"], ""), found[table["name"]])
    return found


def _make_raw(models: Models, table: Mapping[str, Any], query: str, landed: _Landed) -> None:
    """Make raw.TABLE of a query as the landing does: columns that are not there are NULL."""
    name = table["name"]
    described = {}
    if query:
        rows = models.connection.execute(f"describe select * from {query}").fetchall()
        described = {column: data_type for column, data_type, *_ in rows}
    landed.present = {
        column.lower(): column for column in described if column.lower() in table["columns"]
    }
    known = {*table["columns"], *PLACE}
    landed.extra = [column for column in described if column.lower() not in known]
    is_text = all(data_type == "VARCHAR" for data_type in described.values())
    values = []
    for column, declared in table["columns"].items():
        value = f"cast(null as {'varchar' if is_text else declared['data_type']})"
        if column in landed.present:
            value = identifier(landed.present[column])
            if declared["config"]["meta"].get("customer_id"):
                value = f"marked_id({value})"
        values.append(f"{value} as {identifier(column)}")
    kind = "table" if is_text and query else "view"
    source = f"from {query} as raw_rows" if query else "where false"
    models.connection.execute(
        f"create or replace {kind} raw.{name} as select {', '.join(values)} {source}"
    )


# Judging


def _inspected(models: Models, landed: Mapping[str, _Landed], notes: list[str]) -> Inspection:
    connection = models.connection
    counts = " union all ".join(f"select count(*) from raw.{name}" for name in landed)
    models.has_views = max(rows for (rows,) in connection.execute(counts).fetchall()) > FEW_ROWS
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
        _table(models, declared, landed[declared["name"]], accepted, *profiles[declared["name"]])
        for declared in models.raw_tables
        if declared["name"] in profiles
    ]
    findings += [finding for table in tables for finding in _keys_at_fault(models, table)]
    findings = list(_with_other_faults(models, {table.name: table for table in tables}, findings))
    required = _required(models)
    findings.sort(key=lambda one: (not one.stops, not required[one.table], -one.cost))
    return Inspection(tables, findings, _currencies(models), _orders(models), notes)


def _gate_findings(models: Models, landed: Mapping[str, _Landed]) -> Iterator[Finding]:
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
        line = _line_of_rows(models, declared, finding, column, reason, shown)
        yield Finding(table, finding, message, rows_at_fault, rows, stops, column, reason, line)


def _table(
    models: Models,
    declared: Mapping[str, Any],
    landed: _Landed,
    accepted: Mapping[str, int],
    rows: int,
    columns: list[Column],
) -> Table:
    name, dated_by = declared["name"], declared["config"]["meta"].get("dated_by")
    dated = next((column for column in columns if column.name == dated_by), None)
    repeated, differing = _repeated_keys(models, declared, landed)
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
    models: Models, declared: Mapping[str, Any], landed: _Landed
) -> tuple[int, dict[str, int]]:
    """How many keys have several rows, and how many of these differ in which column."""
    columns, connection = declared["columns"], models.connection
    raw, keys = f"raw.{declared['name']}", declared["config"]["meta"]["key"]
    read_keys = [read(models, columns[name]) for name in keys]
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
                line=_line_of_rows(models, declared, "rejected", column, reason, shown),
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


# What to write


def _line_of_file(table: str, file: Path, folder: Path, form: Sniffed | None) -> str:
    """The lines of a mapping that read a file as it is written."""
    if form is None:
        return ""
    keys = {
        "files": str(file.relative_to(folder)),
        "encoding": "" if form.encoding.startswith("utf-8") else form.encoding,
        "delimiter": "" if form.delimiter == "," else f"{form.delimiter!r}",
        "quote": "" if form.quote == '"' else f'"{form.quote}"',
        "skip_lines": str(form.skip_lines or ""),
    }
    said = ", ".join(f"{key}: {value}" for key, value in keys.items() if value)
    return (
        f"mapping.yml, sources: {table}: {{{said}}}" if len(said) > len(keys["files"]) + 7 else ""
    )


def _line_of_rows(
    models: Models,
    declared: Mapping[str, Any],
    finding: str,
    column: str | None,
    reason: str | None,
    shown: str | None,
) -> str:
    """The line that mends a finding: of a mapping's SQL, or of mapping.yml; empty where nobody but the source can."""
    table = declared["name"]
    first_shown = (shown or "").partition(" (")[0]
    if finding == "undecided_duplicates":
        amount = declared["config"]["meta"].get("amount")
        return _line_of_lines(table, amount) if amount else f"{table}.sql: COLUMN as updated_at"
    if finding == "unknown_customers":
        return _line_of_spelling(models)
    if column is None:
        return ""
    if reason == "unreadable_value":
        forms = forms_that_read(models, table, declared["columns"][column])
        lines = [f"written_as({column}, {literal(form)}) as {column}" for form in forms]
        return f"{table}.sql: {', or '.join(lines)}" if lines else ""
    if reason == "not_allowed" and "words_of" in declared["columns"][column]["config"]["meta"]:
        return f"mapping.yml, words: {table}.{column}: {{{first_shown}: WORD}}, a word of the seed for each"
    if reason == "no_exchange_rate" and shown:
        return f"mapping.yml: reporting_currency: {first_shown}"
    return ""


def _line_of_lines(table: str, amount: str) -> str:
    """How rows that are lines become one row: their sum, if all of them can be read."""
    read_amounts = f"read_amount({amount})"
    return (
        f"{table}.sql: case when count(*) = count({read_amounts}) then sum({read_amounts}) end as {amount}, "
        "grouped by the key; or COLUMN as updated_at"
    )


def _line_of_spelling(models: Models) -> str:
    """How the ids of orders become those of customers, by the commonest difference between them."""
    found = models.connection.execute(
        "select matches_without from int_unknown_customers where matches_without is not null "
        "group by 1 order by count(*) desc, 1 limit 1"
    ).fetchall()
    if not found:
        return ""
    spelt = {
        "decimals": "regexp_replace(customer_id, '[.]0+$', '')",
        "blanks": "replace(customer_id, ' ', '')",
        "letter_case": "lower_case(customer_id)",
        "leading_zeros": "ltrim(customer_id, '0')",
    }[found[0][0]]
    return f"orders.sql and customers.sql: {spelt} as customer_id"
