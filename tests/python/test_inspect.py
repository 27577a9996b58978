"""`tiering inspect` says of raw tables what the gate of a refresh would say, and more, each finding with the line that mends it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject, RawTables
from test_cases import CASES, rows
from test_gate import KINDS, ORDER
from typer.testing import CliRunner

from customer_tiering.cli import app
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import SourceError
from customer_tiering.onboarding.exploring import explore
from customer_tiering.onboarding.inspecting import Inspection, inspect

VARS = {"run_date": "2026-01-31"}
GATED = ("rejected", "undecided_duplicates", "unknown_customers", "guests")


def write(folder: Path, raw: RawTables) -> Path:
    """Tables as CSV files; one without rows has the key of its contract alone."""
    for table, lines in raw.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            header = list(lines[0]) if lines else HEADERS[table]
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(lines)
    return folder


HEADERS = {"customers": ["customer_id"], "orders": ORDER.split(",")}


def inspected(folder: Path, **project_vars: object) -> Inspection:
    return inspect(folder, PROJECT, load_configuration(PROJECT, {**VARS, **project_vars}))


def stopping(inspection: Inspection) -> list[str]:
    """What the gate would stop at; faults behind the first one of a row are said after it."""
    return sorted(
        finding.message
        for finding in inspection.findings
        if finding.stops and finding.finding in GATED and " rejected too: " not in finding.message
    )


# -- What the gate says --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_what_stops_a_refresh_is_said_in_its_words(tmp_path: Path, name: str) -> None:
    found = inspected(write(tmp_path, KINDS[name].raw))
    assert stopping(found) == sorted(KINDS[name].findings)
    assert found.stops == bool(KINDS[name].findings)


@pytest.fixture(scope="module")
def gate(compiled: Callable[..., CompiledProject]) -> Iterator[Callable[[Path], list[str]]]:
    """What the compiled gate says of a folder."""
    models = compiled().only("int_source_findings")
    with models.build({}) as connection:

        def find(folder: Path) -> list[str]:
            models.land(connection, folder)
            models.run(connection)
            found = connection.execute("select message from intermediate.int_source_findings")
            return sorted(message for (message,) in found.fetchall())

        yield find


@pytest.mark.parametrize(
    ("case", "findings"),
    [
        ("stripe_all_rejected", 1),
        ("line_level_orders", 1),
        ("messy_values", 5),
        ("shopify_export", 2),
        ("ids_as_floats", 0),
        ("versions_without_updated_at", 0),
    ],
)
def test_public_cases_are_judged_as_by_the_gate(
    gate: Callable[[Path], list[str]], case: str, findings: int
) -> None:
    folder = CASES / case / "raw"
    if not folder.is_dir():
        pytest.skip(f"no public cases in {CASES}; set TIERING_CASES to their folder")
    said = stopping(inspected(folder))
    assert said == gate(folder)
    assert len(said) == findings


# -- What only inspecting says --------------------------------------------------------------------


def test_all_faults_of_a_file_are_said_at_once_with_the_lines_to_write(tmp_path: Path) -> None:
    """Windows-1252, semicolons, dates day first and decimal commas: the gate would say one after the other."""
    write(tmp_path, {"customers": rows("customer_id", *(f"{n}" for n in range(1, 13)))})
    lines = [f"{n};{n};{n + 12}.01.2021;bezahlt;1.001,{n + 10} €\n" for n in range(1, 13)]
    text = f"{ORDER.replace(',', ';')}\n{''.join(lines)}"
    (tmp_path / "orders.csv").write_bytes(text.encode("windows-1252"))
    found = inspected(tmp_path)
    form = "mapping.yml, sources: orders: {files: orders.csv, encoding: windows-1252, delimiter: ;}"
    assert [(one.column, one.stops, one.line) for one in found.findings] == [
        (None, True, form),
        (None, True, form),
        ("order_amount", True, "orders.sql: written_as(order_amount, '1.234,56') as order_amount"),
        ("ordered_at", True, "orders.sql: written_as(ordered_at, 'dd.mm.yyyy') as ordered_at"),
        (
            "status",
            True,
            "mapping.yml, words: orders.status: {bezahlt: WORD}, a word of the seed for each",
        ),
    ]
    assert [one.message for one in found.findings][2:] == [
        "orders: 12 of 12 rows rejected too: order_amount cannot be read: 9.999,99 € (12). Write it like 1234.50, or "
        "declare its form (docs/reading.md).",
        "orders: 12 of 12 rows rejected: ordered_at cannot be read: 99.99.9999 (12). Write it like 2025-12-31 or "
        "2025-12-31 10:37:33 +0800, or declare its form (docs/reading.md).",
        "orders: 12 of 12 rows rejected too: status is none of the known words: bezahlt (12). Add them to "
        "seeds/order_statuses.csv.",
    ]


SHOP: RawTables = {
    "customers": rows(
        "customer_id,email,signed_up_at,birth_date,customer_type,Loyalty",
        "a1,ann@example.com,03/04/2024,31.12.1999,person,x",
        "B2,,2024-01-05,1990-01-01,company,",
        "c3,,,1990-01-01,robot,",
    ),
    "orders": rows(
        f"{ORDER},currency_code",
        "1,A1,2024-01-05,paid,10.50,EUR",
        "2,b2,2024-03-07,paid,20,EUR",
        "3,,2024-02-06,paid,30,USD",
        "4,c3,2024-02-06,paid,,EUR",
    ),
    "order_items": rows(
        "order_id,line_number,quantity",
        *("1,1,1", "1,1,2", "1,2,1", "2,1,5", "2,1,5"),
    ),
}


def test_figures_and_findings_of_a_small_shop(tmp_path: Path) -> None:
    found = inspected(write(tmp_path, SHOP), reporting_currency="EUR")
    tables = {table.name: table for table in found.tables}
    assert {name: (table.rows, table.accepted) for name, table in tables.items()} == {
        "customers": (3, 3),
        "orders": (4, 3),
        "order_items": (5, 5),
    }
    assert tables["customers"].extra == ["Loyalty"]
    assert tables["orders"].missing == [
        *("discount_amount", "channel", "store_id", "is_test", "cancelled_at", "returned_at", "updated_at")
    ]  # fmt: skip
    assert (tables["orders"].first_day, tables["orders"].last_day) == (
        date(2024, 1, 5),
        date(2024, 3, 7),
    )
    assert tables["order_items"].repeated_keys == 2
    assert tables["order_items"].differing == {"quantity": 1}
    assert [(c.code, c.orders, c.amount, c.is_known) for c in found.currencies] == [
        ("EUR", 2, Decimal("30.50"), True),
        ("USD", 1, Decimal("30.00"), False),
    ]
    # the order in USD has no rate, so that it is nobody's
    assert found.orders == {"of_known_customers": 0, "of_unknown_customers": 2, "of_guests": 0}
    assert [
        (one.table, one.finding, one.column, one.reason, one.rows_at_fault, one.rows, one.stops)
        for one in found.findings
    ] == [
        ("orders", "unknown_customers", "customer_id", None, 2, 2, False),
        ("customers", "nulled", "birth_date", "unreadable_value", 1, 3, False),
        ("customers", "nulled", "customer_type", "not_allowed", 1, 3, False),
        ("customers", "nulled", "signed_up_at", "unreadable_value", 1, 3, False),
        ("orders", "rejected", "currency_code", "no_exchange_rate", 1, 4, False),
        ("orders", "rejected", "order_amount", "missing_value", 1, 4, False),
        ("order_items", "repeated_keys", None, None, 2, 5, False),
    ]
    lines = {(one.finding, one.column): one.line for one in found.findings}
    assert lines["unknown_customers", "customer_id"] == (
        "orders.sql and customers.sql: lower_case(customer_id) as customer_id"
    )
    assert lines["nulled", "signed_up_at"] == (
        "customers.sql: written_as(signed_up_at, 'dd/mm/yyyy') as signed_up_at, or "
        "written_as(signed_up_at, 'mm/dd/yyyy') as signed_up_at"
    )
    assert found.findings[-1].message == (
        "order_items: 2 keys (order_id, line_number) have several rows that differ in quantity (1): one row per key is kept."
    )


def test_columns_are_counted_and_nothing_personal_is_told(tmp_path: Path) -> None:
    found = inspected(write(tmp_path, SHOP), reporting_currency="EUR")
    columns = {(table.name, one.name): one for table in found.tables for one in table.columns}
    counts = {
        name: (one.filled, one.readable, one.distinct)
        for (table, name), one in columns.items()
        if table == "customers"
    }
    assert counts == {
        "customer_id": (3, 3, 3),
        "email": (1, 1, 1),
        "signed_up_at": (2, 1, 1),
        "birth_date": (3, 2, 1),
        "customer_type": (3, 3, 3),
    }
    amount = columns["orders", "order_amount"]
    assert (amount.first, amount.last) == (Decimal("10.50"), Decimal(30))
    assert columns["orders", "status"].commonest == {"paid": 4}
    assert columns["customers", "signed_up_at"].unreadable == {"99/99/9999": 1}
    assert columns["customers", "birth_date"].first is None
    told = f"{found}".lower()
    for value in ("ann@", "a1", "b2", "03/04/2024", "31.12", "1999", "1990"):
        assert value not in told


def test_a_table_that_cannot_be_read_is_said_beside_the_others(tmp_path: Path) -> None:
    write(tmp_path, {"orders": rows(ORDER, "1,a,2024-01-05,paid,1")})
    (tmp_path / "customers.csv").write_text("customer_id,city\na,Ulm\nb\n", encoding="utf-8")
    (tmp_path / "refunds.csv").write_text("", encoding="utf-8")
    (tmp_path / "tickets.csv").write_text("Ticket ID,customer_id\n1,a\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("a\n", encoding="utf-8")
    found = inspected(tmp_path)
    said = [
        one.message.removeprefix(f"raw file {tmp_path}/") for one in found.findings if one.stops
    ]
    assert sorted(said) == [
        "customers.csv, line 3: found 1 cell, where the header has 2; allowed is CSV in UTF-8 with a header, commas, "
        "closed double quotes and in every line as many cells as in the header.",
        "refunds.csv: found no content; allowed is a file with a header or, for no rows at all, no file.",
        "tickets.csv has no column opened_at; found are customer_id, 1 of other names, and opened_at is required.",
        "tickets.csv: found 1 of the contract's columns in another spelling; allowed is ticket_id.",
    ]
    assert [table.name for table in found.tables] == ["orders", "tickets"]
    assert found.notes == [f"not read from {tmp_path}, as no model reads such a table: notes.csv."]


def test_versions_and_lines_get_the_line_that_decides(tmp_path: Path) -> None:
    raw = {
        "customers": rows("customer_id,city", "a,Ulm", "a,Bonn"),
        "orders": rows(ORDER, "1,a,2024-01-05,paid,1", "1,a,2024-01-05,paid,2"),
    }
    lines = {one.table: one.line for one in inspected(write(tmp_path, raw)).findings}
    assert lines == {
        "customers": "customers.sql: COLUMN as updated_at",
        "orders": "orders.sql: case when count(*) = count(read_amount(order_amount)) then "
        "sum(read_amount(order_amount)) end as order_amount, grouped by the key; or COLUMN as updated_at",
    }


# -- Mappings and exports -----------------------------------------------------------------------------------


EXPORT = (
    "Bestellung;Käufer;E-Mail;Handy;Datum;Betrag;Status;Newsletter;Notiz\n"
    + "".join(
        f"{n};K{n % 7};k{n % 7}@example.com;+49 170 123456{n % 7};{n % 28 + 1:02}.03.2024;1.{n:03},50;"
        f"{'bezahlt' if n % 3 else 'storniert'};ja{''};\n"
        for n in range(1, 31)
    )
).replace(";ja;", ";yes;")


def test_an_export_is_described_by_what_its_columns_look_like(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "export.csv").write_bytes(EXPORT.encode("windows-1252"))
    duckdb.sql("select 1735689600 + range as created_at, range as n from range(40)").write_parquet(
        str(tmp_path / "a.parquet")
    )
    found = explore(tmp_path, PROJECT)
    parquet, export = found.files
    assert found.source is None
    assert (parquet.file, parquet.rows) == ("a.parquet", 40)
    assert [one.looks_like for one in parquet.columns] == [
        "date, epoch_seconds",
        "whole number, all different",
    ]
    assert (export.file, export.rows) == ("more/export.csv", 30)
    assert (export.written.encoding, export.written.delimiter) == ("windows-1252", ";")
    assert {one.name: (one.distinct, one.looks_like) for one in export.columns} == {
        "Bestellung": (30, "whole number, all different"),
        "Käufer": (7, "words"),
        "E-Mail": (7, "e-mail"),
        "Handy": (7, "phone"),
        "Datum": (28, "date, dd.mm.yyyy"),
        "Betrag": (30, "number, 1.234,56"),
        "Status": (2, "words: bezahlt (20), storniert (10)"),
        "Newsletter": (1, "yes or no"),
        "Notiz": (0, "empty"),
    }
    assert [one.name for one in export.columns if one.is_personal] == ["E-Mail", "Handy"]


MAPPING = {
    "mapping.yml": "reporting_currency: EUR\nsources:\n  export:\n    files: export.csv\n    encoding: windows-1252\n"
    "    delimiter: ';'\nwords:\n  orders.status: {storniert: cancelled}\n",
    "customers.sql": 'select distinct "Käufer" as customer_id from export\n',
    "orders.sql": 'select "Bestellung" as order_id, "Käufer" as customer_id, "Status" as status,\n'
    '    written_as("Datum", \'dd.mm.yyyy\') as ordered_at, "Betrag" as order_amount from export\n',
}


def test_a_shipped_source_is_recognised_by_its_columns() -> None:
    folder = CASES / "shopify_export" / "data"
    if not folder.is_dir():
        pytest.skip(f"no public cases in {CASES}; set TIERING_CASES to their folder")
    assert explore(folder, PROJECT).source == "shopify_export"


def test_what_a_mapping_gives_is_inspected_as_a_folder_is(tmp_path: Path) -> None:
    """The mapping forgets the form of amounts, and knows one of two words."""
    folder, raw = tmp_path / "my_shop", tmp_path / "raw"
    folder.mkdir()
    raw.mkdir()
    for name, text in MAPPING.items():
        (folder / name).write_text(text, encoding="utf-8")
    (raw / "export.csv").write_bytes(EXPORT.encode("windows-1252"))
    found = inspected(raw, mapping=str(folder))
    assert [(table.name, table.rows, table.accepted) for table in found.tables] == [
        ("customers", 7, 7),
        ("orders", 30, 0),
    ]
    assert [
        (one.column, one.rows_at_fault, one.rows_in_all, one.line) for one in found.findings
    ] == [
        (
            "order_amount",
            10,
            30,
            "orders.sql: written_as(order_amount, '1.234,56') as order_amount",
        ),
        (
            "status",
            20,
            20,
            "mapping.yml, words: orders.status: {bezahlt: WORD}, a word of the seed for each",
        ),
    ]
    (raw / "export.csv").write_bytes(EXPORT.replace(".03.", "/03/").encode("windows-1252"))
    said = [one.message for one in inspected(raw, mapping=str(folder)).findings]
    assert any("ordered_at cannot be read: 99/99/9999 (30)." in message for message in said), said


def test_a_mapped_file_that_breaks_in_the_middle_is_named(tmp_path: Path) -> None:
    for name, text in MAPPING.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    lines = EXPORT.replace("30;K2;", "30;K2;too;many;").encode("windows-1252")
    (tmp_path / "export.csv").write_bytes(lines)
    with pytest.raises(SourceError) as caught:
        inspected(tmp_path, mapping=str(tmp_path))
    assert str(caught.value).startswith(f"raw file {tmp_path}/export.csv")


def test_a_schema_of_a_duckdb_file_is_inspected_as_a_folder_is(tmp_path: Path) -> None:
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema store")
        connection.execute(
            "create table store.customers as select 12002.5 as customer_id, 'Ulm' as city"
        )
        connection.execute(
            "create view store.Orders as select 1 as order_id, 7 as customer_id, 'x' as state"
        )
    found = inspected(Path(f"{file}:STORE"))
    assert [one.message for one in found.findings] == [
        "raw table STORE.orders has no columns ordered_at, status, order_amount; found are order_id, customer_id, 1 of "
        "other names, and ordered_at, status, order_amount are required.",
        "customers: 1 of 1 rows rejected: customer_id cannot be read. Correct it in the source.",
    ]
    with pytest.raises(SourceError, match="found no table in a schema main; allowed is"):
        inspected(Path(f"{file}:main"))


# -- The command line ----------------------------------------------------------------------------------


def test_the_exit_code_says_whether_a_refresh_would_stop(tmp_path: Path) -> None:
    """A small shop passes; the same without customers does not; an export is not in the contract."""
    run = CliRunner()
    folders = {name: tmp_path / name for name in ("shop", "lacking", "export")}
    for folder in folders.values():
        folder.mkdir()
    write(folders["shop"], {**SHOP, "orders": rows(ORDER, "1,a1,2024-01-05,paid,1")})
    write(folders["lacking"], {"orders": rows(ORDER, "1,a1,2024-01-05,paid,1")})
    (folders["export"] / "export.csv").write_text(EXPORT, encoding="utf-8")
    options = ["--vars", "{run_date: 2026-01-31}"]
    results = {
        name: run.invoke(app, ["inspect", str(folder), *options])
        for name, folder in folders.items()
    }
    assert {name: result.exit_code for name, result in results.items()} == {
        "shop": 0,
        "lacking": 3,
        "export": 3,
    }
    assert (
        f"tiering refresh --raw {folders['shop']} --warehouse warehouse" in results["shop"].output
    )
    assert "no table customers" in " ".join(results["lacking"].output.split())
    for name in ("lacking", "export"):
        assert f"tiering init {folders[name]} --out my_shop" in results[name].output
    for name, folder in folders.items():
        said = json.loads(run.invoke(app, ["inspect", str(folder), *options, "--json"]).stdout)
        assert said["stops"] == (name != "shop")
    assert run.invoke(app, ["inspect", str(tmp_path / "nowhere")]).exit_code == 3
