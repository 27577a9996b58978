"""What an inspection found, for people (tables) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from customer_tiering.onboarding.exploring import Export
from customer_tiering.onboarding.findings import Finding
from customer_tiering.onboarding.inspecting import Inspection, Table
from customer_tiering.onboarding.profiling import Column
from customer_tiering.onboarding.sniffing import ROWS, Sniffed
from customer_tiering.quoting import command_line
from customer_tiering.reporting import heading, money, percent, plain_table
from customer_tiering.sources import first_of


def as_json(inspection: Inspection) -> str:
    """The inspection as JSON: dates in ISO form, amounts as text."""
    found = {"stops": inspection.stops, **asdict(inspection)}
    return json.dumps(found, default=str, ensure_ascii=False, indent=2)


def export_as_json(export: Export) -> str:
    """The files of an export as JSON, and the shipped source that they look like."""
    found: dict[str, Any] = {"stops": True, **asdict(export)}
    for file in found["files"]:
        del file["written"]["rows"]  # whatever the export holds
    return json.dumps(found, default=str, ensure_ascii=False, indent=2)


def print_export(export: Export, folder: Path, console: Console) -> None:
    """Print how the files of an export are written, what their columns look like, and what to do next."""
    for file in export.files:
        rows = file.fault if file.rows is None else f"{file.rows:,} rows"
        console.print(heading(f"{file.file}: {rows}, {_form(file.written)}"))
        columns = plain_table("Column", ">Filled", ">Different", "Looks like")
        columns.columns[0].no_wrap = True
        for column in file.columns:
            style = "yellow" if column.is_personal else ""
            columns.add_row(
                column.name,
                percent(column.filled),
                f"{column.distinct:,}",
                Text(column.looks_like, style=style),
            )
        console.print(columns)
    console.print(f"\nBy the first {ROWS:,} rows of each file.", style="dim")
    if export.not_read:
        said = f"Not read, as neither CSV nor Parquet: {first_of(export.not_read)}."
        console.print(said, highlight=False, markup=False)
    console.print(
        f"The folder is not in the raw contract; it looks like the source {export.source}. Next:"
        if export.source
        else "The folder is not in the raw contract (docs/raw-contract.md). Next:"
    )
    _command(console, command_line("init", folder, "--out", "my_shop"))


def _form(written: Sniffed) -> str:
    if written.is_parquet:
        return "Parquet"
    parts = [
        written.encoding,
        f"delimiter {written.delimiter!r}",
        f"quote {written.quote}" if written.quote != '"' else "",
        f"{written.skip_lines} lines before the header" if written.skip_lines else "",
    ]
    return ", ".join(part for part in parts if part)


def _command(console: Console, command: str) -> None:
    console.print(command, style="cyan", soft_wrap=True, highlight=False)


def print_inspection(
    inspection: Inspection, folder: Path, mapping: Path | None, console: Console
) -> None:
    """Print the inspection: tables, orders, findings, and what to do next."""
    for table in inspection.tables:
        console.print(Group(*_table(table)))
    if inspection.currencies:
        console.print(Group(*_orders(inspection)))
    console.print(Group(*_findings(inspection.findings)))
    console.print()
    if inspection.stops:
        console.print("A refresh would stop at what is marked.", style="red")
        console.print(
            "Where all is right, raise the limit of the table (var source_limits); some of its rows must be taken.",
            highlight=False,
        )
        if mapping is None and folder.is_dir():
            console.print("Lines of .sql and of mapping.yml belong into a mapping. To make one:")
            _command(console, command_line("init", folder, "--out", "my_shop"))
        else:
            console.print(f"Lines of .sql and of mapping.yml belong into {mapping or 'a mapping'}.")
    else:
        console.print("Nothing would stop a refresh. Next:")
        of_mapping: list[str | Path] = ["--mapping", mapping] if mapping else []
        _command(
            console,
            command_line("refresh", *of_mapping, "--raw", folder, "--warehouse", "warehouse"),
        )


def _table(table: Table) -> Iterator[Padding | RichTable | Text]:
    days = f", {table.first_day} to {table.last_day}" if table.first_day else ""
    yield heading(f"{table.name}: {table.rows:,} rows, {table.accepted:,} accepted{days}")
    columns = plain_table("Column", ">Filled", ">Readable", ">Different", "Holds")
    columns.columns[0].no_wrap = True
    for column in table.columns:
        columns.add_row(
            column.name,
            percent(column.filled / table.rows if table.rows else None),
            percent(column.readable / column.filled if column.filled else None),
            f"{column.distinct:,}",
            _holds(column),
        )
    yield columns
    for said, names in (("missing", table.missing), ("not in the contract", table.extra)):
        if names:
            yield Text(f"{said}: {', '.join(names)}", style="dim")
    if table.repeated_keys:
        differ = ", ".join(f"{name} ({keys:,})" for name, keys in table.differing.items())
        yield Text(
            f"{table.repeated_keys:,} keys have several rows; they differ in {differ or 'nothing'}",
            style="yellow",
        )


def _holds(column: Column) -> Text:
    if column.unreadable:
        return Text(f"cannot be read: {_counted(column.unreadable)}", style="yellow")
    if column.first is not None:
        return Text(f"{column.first} to {column.last}")
    return Text(_counted(column.commonest))


def _counted(values: Mapping[str, int]) -> str:
    return ", ".join(f"{value} ({rows:,})" for value, rows in values.items())


def _orders(inspection: Inspection) -> Iterator[Padding | RichTable | Text]:
    yield heading("Orders that are accepted")
    currencies = plain_table("Currency", ">Orders", ">Amount", "Rate")
    for currency in inspection.currencies:
        currencies.add_row(
            currency.code,
            f"{currency.orders:,}",
            money(currency.amount),
            "" if currency.is_known else Text("none", style="yellow"),
        )
    yield currencies
    yield Text(
        ", ".join(
            f"{orders:,} {who.replace('_', ' ')}" for who, orders in inspection.orders.items()
        )
    )


def _findings(findings: list[Finding]) -> Iterator[Padding | RichTable | Text]:
    yield heading("What to mend, the costliest first")
    if not findings:
        yield Text("nothing")
        return
    table = plain_table("", ">Cost", "What was found, and the line to write")
    for finding in findings:
        said = Text(finding.message)
        if finding.rows_in_all > finding.rows_at_fault:
            said.append(f" {finding.rows_in_all:,} rows have it, behind other faults too.")
        if finding.line:
            said.append(f"\n{finding.line}", style="cyan")
        stops = Text("stops", style="red") if finding.stops else Text("warns", style="yellow")
        table.add_row(stops, percent(finding.cost), said)
    yield table
