"""Files are recognised by what their columns are called and what their values look like."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT

from customer_tiering.mappings import load_mapping
from customer_tiering.onboarding.recognising import columns_read, recognise, shipped_source
from customer_tiering.onboarding.value_forms import Form, amount_form, date_form
from customer_tiering.reading import connect


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return connect()


def form_of(connection: duckdb.DuckDBPyConnection, find, *values: str) -> Form:
    texts = ", ".join(f"('{value}')" for value in values)
    return find(connection, f"(values {texts}) as export (x)", "x")


@pytest.mark.parametrize(
    ("values", "name", "others"),
    [
        (("2025-12-06", "20251206"), "", ()),
        (("06.12.2025", "13.12.2025"), "dd.mm.yyyy", ()),
        (("12/06/2025", "12/13/2025"), "mm/dd/yyyy", ()),
        # 11 days apart, or ten months
        (("06/12/2025", "12/12/2025"), "dd/mm/yyyy", ("mm/dd/yyyy",)),
        (("1/2/2025", "1/12/2025"), "mm/dd/yyyy", ("dd/mm/yyyy",)),
        (("45000", "45001"), "excel_serial", ()),
        (("1764997200",), "epoch_seconds", ()),
        (("1764997200000",), "epoch_milliseconds", ()),
    ],
)
def test_a_form_of_dates_is_certain_where_no_other_reads_all(
    connection, values, name, others
) -> None:
    found = form_of(connection, date_form, *values)
    assert (found.name, found.others, found.readable) == (name, others, len(values))


@pytest.mark.parametrize(
    ("values", "name", "others"),
    [
        (("12.50", "7"), "", ()),
        (("1,98 €", "1.250,00 €"), "1.234,56", ()),
        (("$1,250.00", "$3.10"), "1,234.56", ()),
        (("1 250,00", "3,10"), "1 234,56", ()),
        # a thousand, or three decimals
        (("1.250", "3.100"), "", ("1.234,56",)),
        (("1,250", "3,100"), "1,234.56", ("1.234,56",)),
    ],
)
def test_a_form_of_amounts_is_certain_where_no_other_reads_other_amounts(
    connection, values, name, others
) -> None:
    found = form_of(connection, amount_form, *values)
    assert (found.name, found.others, found.readable) == (name, others, len(values))


def test_values_that_no_form_reads_are_counted(connection) -> None:
    found = form_of(connection, amount_form, "1,98", "2,50", "free")
    assert (found.name, found.values, found.readable, found.fits) == ("1.234,56", 3, 2, True)


@pytest.mark.parametrize(
    "header",
    [
        "Order Number,Customer ID,Order Date,Status,Grand Total",
        "Bestell-Nr.,Kundennr.,Bestelldatum,Bestellstatus,Gesamtbetrag",
        "订单编号,会员号,下单时间,订单状态,实付金额",
        "N° commande,Numéro client,Date de commande,Statut,Montant total",
        "Nº pedido,Código cliente,Fecha de pedido,Estado,Importe total",
        "Grand Total,Status,Order Date,Customer ID,Order Number",
    ],
)
def test_columns_are_known_by_name_in_five_languages_and_any_order(connection, header) -> None:
    values = {
        "order_id": "7", "customer_id": "k1", "ordered_at": "2024-01-05", "status": "paid", "order_amount": "9.50",
    }  # fmt: skip
    said = list(values)[:: -1 if header.startswith("Grand") else 1]
    names = header.split(",")
    columns = ", ".join(
        f"'{values[word]}' as \"{name}\"" for word, name in zip(said, names, strict=True)
    )
    found = recognise(connection, PROJECT, "export", f"(select {columns})", "export")
    assert found.table == "orders"
    assert {word: found.column(word).name for word in said} == dict(zip(said, names, strict=True))


def test_a_column_that_does_not_look_like_its_name_is_not_used(connection) -> None:
    relation = "(values ('7', 'soon', 'a lot')) as export (order_id, order_date, total)"
    found = recognise(connection, PROJECT, "export", relation, "export")
    assert (found.table, list(found.columns)) == ("", ["order_id"])


def test_a_shipped_source_is_found_by_the_columns_that_its_sql_reads(tmp_path: Path) -> None:
    for name, amount in (("one", "total"), ("two", "sum")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "mapping.yml").write_text(
            "sources: {sale: {optional_columns: [note]}, buyer: {}, extra: {optional: true, optional_columns: [a, b]}}"
        )
        (folder / "heads.sql").write_text(
            "with some as (select *, 1 as n from sale) select * from some"
        )
        (folder / "orders.sql").write_text(
            f'select "No", {amount}, note, n, source_line from heads'
        )
        (folder / "customers.sql").write_text(
            "select buyer.id from buyer left join sale on sale.who = buyer.id"
        )
    read = columns_read(load_mapping(tmp_path / "one", PROJECT))
    assert read == {"sale": {"no", "total", "who"}, "buyer": {"id"}, "extra": set()}

    def fitting(**headers: str) -> tuple[str, dict[str, list[str]]] | None:
        files = {Path(f"{name}.csv"): columns.split() for name, columns in headers.items()}
        found = shipped_source(PROJECT, files, tmp_path)
        return found and (
            found.mapping.folder.name,
            {
                name: [file.stem for file in listed]
                for name, listed in found.files.items()
                if listed
            },
        )

    sales = {"sales_2023": "No who SUM more", "sales_2024": "No who SUM more"}
    assert fitting(**sales, buyers="id name", extra="a b c", other="x") == (
        "two",
        {"sale": ["sales_2023", "sales_2024"], "buyer": ["buyers"], "extra": ["extra"]},
    )
    assert fitting(**sales) is None
    assert fitting(sales="No who", buyers="id") is None
