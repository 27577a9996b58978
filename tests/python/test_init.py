"""`tiering init` writes mappings that give the orders, customers and sums of folders that nobody prepared.

What is right was counted by hand, or by plain Python from the files; READMEs of the public cases have it too.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from compiled_project import PROJECT
from typer.testing import CliRunner

from customer_tiering.cli import app
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import BrokenRulesError, ConfigurationError, SourceError
from customer_tiering.mappings import check_mapping, load_mapping
from customer_tiering.onboarding.initialising import Initialised, initialise, write_mapping
from customer_tiering.onboarding.questions import Answers, Question
from customer_tiering.reading import connect

CASES = Path(os.environ.get("TIERING_CASES", PROJECT.parent / "shared" / "cases"))
SETTINGS = load_configuration(PROJECT, {}).settings
ZONE = {"source_time_zone": "UTC"}
MONEY = {**ZONE, "reporting_currency": "EUR"}


def case(name: str) -> Path:
    if not (CASES / name).is_dir():
        pytest.skip(f"no public cases in {CASES}; set TIERING_CASES to their folder")
    return (CASES / name).resolve()


def folder(tmp_path: Path, encoding: str = "utf-8", **files: str) -> Path:
    """A folder with CSV files of these texts."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, text in files.items():
        (raw / f"{name}.csv").write_bytes(text.encode(encoding))
    return raw


class Made:
    """A mapping for a folder, and what its tables hold."""

    def __init__(
        self, raw: Path, answers: Mapping[str, str] | None = None, yes: bool = False
    ) -> None:
        self.raw = raw
        self.answers = Answers(answers or {}, accepts_proposals=yes)
        self.mapping: Initialised = initialise(PROJECT, SETTINGS, raw, self.answers)

    @property
    def asked(self) -> dict[str, str]:
        """The questions by key, with what is proposed."""
        return {key: question.proposal for key, question in self.answers.asked.items()}

    @property
    def sql(self) -> str:
        return "\n".join(self.mapping.files.values())

    def ask(self, query: str, tmp_path: Path) -> list[tuple]:
        """What a query finds in the tables that the written mapping makes."""
        out = tmp_path / "mapping"
        shutil.rmtree(out, ignore_errors=True)
        write_mapping(self.mapping, out)
        with connect() as connection:
            for table, rows in check_mapping(
                connection, load_mapping(out, PROJECT), self.raw, PROJECT
            ).items():
                connection.execute(f'create or replace temp view "{table}" as select * from {rows}')
            return connection.execute(query).fetchall()


TOTALS = "select count(*), count(distinct read_id(customer_id)), sum(read_amount(order_amount)) from orders"


def test_a_german_csv_is_read_without_a_line_of_sql(tmp_path: Path) -> None:
    raw = case("german_csv") / "raw"
    made = Made(raw, ZONE)
    assert (made.asked, made.mapping.open_questions) == ({"source_time_zone": "UTC"}, [])
    assert made.ask(TOTALS, tmp_path) == [(200, 59, Decimal("1119.15"))]
    days = "select min(day), max(day) from (select cast(read_date(ordered_at) as varchar) as day from orders)"
    assert made.ask(days, tmp_path) == [("2021-01-01", "2023-05-24")]
    assert load_mapping(tmp_path / "mapping", PROJECT).settings == {
        "source_time_zone": "UTC",
        "reporting_currency": "EUR",
    }
    assert "encoding: windows-1252\n    delimiter: ;" in made.mapping.files["mapping.yml"]


def test_a_shipped_source_is_copied_with_the_files_found(tmp_path: Path) -> None:
    raw = case("shopify_export") / "data"
    made = Made(raw)
    assert (made.asked, made.mapping.shipped, made.mapping.personal_ids) == (
        {},
        "shopify_export",
        True,
    )
    assert made.ask(TOTALS, tmp_path) == [(51, 3, Decimal("590683.29"))]
    shipped = load_mapping(PROJECT / "sources/shopify_export", PROJECT)
    written = load_mapping(tmp_path / "mapping", PROJECT)
    assert (written.sql, written.sources) == (shipped.sql, shipped.sources)
    assert written.settings == {"reporting_currency": "INR", "pseudonymise_ids": True}
    # as exported by another spreadsheet
    other = tmp_path / "other"
    other.mkdir()
    text = (raw / "orders_export_1.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    with (other / "bestellungen.csv").open("w", encoding="utf-16", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    again = Made(other)
    assert again.mapping.shipped == "shopify_export"
    assert again.ask(TOTALS, tmp_path) == [(51, 3, Decimal("590683.29"))]


def test_tables_of_a_connector_are_found_whatever_their_files_are_called(
    public_data: Path, tmp_path: Path
) -> None:
    raw = public_data / "sources/stripe"
    made = Made(raw, yes=True)
    assert made.mapping.shipped == "stripe"
    assert "  charge:\n    files: charge_data.csv\n" in made.mapping.files["mapping.yml"]
    words = [key for key in made.asked if key.startswith("words.")]
    made = Made(raw, dict.fromkeys(words, "cancelled"), yes=True)
    assert made.ask("select count(*) from orders", tmp_path) == [(16,)]
    assert "invoice_data.csv" in made.mapping.unused


def test_lines_without_products_are_summed_where_somebody_says_so(tmp_path: Path) -> None:
    raw = case("line_level_orders") / "raw"
    made = Made(raw, {**MONEY, "orders.rows": "lines"})
    assert made.ask(TOTALS, tmp_path) == [(60, 60, 51_771)]
    assert made.ask("select count(*), sum(line_amount) from order_items", tmp_path) == [
        (183, 51_771)
    ]
    assert made.ask("select count(*) from customers", tmp_path) == [(60,)]
    versions = Made(raw, {**MONEY, "orders.rows": "versions"})
    assert versions.ask("select count(*) from orders", tmp_path) == [(183,)]


def test_each_row_of_an_untidy_folder_is_passed_on_in_the_forms_found(tmp_path: Path) -> None:
    raw = case("messy_values") / "raw"
    made = Made(raw, yes=True)
    assert made.asked["orders.ordered_at.form"] == "dd/mm/yyyy"
    with (PROJECT / "seeds/order_statuses.csv").open(encoding="utf-8", newline="") as file:
        known = {row["source_status"].lower() for row in csv.DictReader(file)}
    with (raw / "orders.csv").open(encoding="utf-8-sig", newline="") as file:
        words = {row["status"].strip().lower() for row in csv.DictReader(file)} - {""}
    states = [f"words.orders.status.{word}" for word in words - known]
    assert {key for key in made.asked if key.startswith("words.")} == set(states)
    answered = Made(raw, dict.fromkeys(states, "completed"), yes=True)
    assert answered.ask("select count(*), count(order_amount) from orders", tmp_path) == [(73, 72)]
    # of the 28 spellings all but mm/dd/yyyy and dots, dashes, serials, epochs, 24:00: see the README of the case
    days = (
        "select string_agg(order_id[6:], ' ' order by order_id) from orders where starts_with(order_id, 'date-') "
        "and read_date(ordered_at) = date '2025-12-06'"
    )
    read = "001 002 003 004 005 006 007 008 009 010 011 019 020 021 022 023 025 026 027 028"
    assert answered.ask(days, tmp_path) == [(read,)]
    unread = "select ordered_at from orders where order_id = 'date-013'"
    assert answered.ask(unread, tmp_path) == [("06.12.2025 (not dd/mm/yyyy)",)]


def test_a_crm_gives_deals_as_orders_and_accounts_as_customers(
    public_data: Path, tmp_path: Path
) -> None:
    raw = public_data / "crm_b2b"
    with (raw / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        deals = list(csv.DictReader(file))
    won = {"words.orders.status.won": "completed", "words.orders.status.lost": "cancelled"}
    made = Made(raw, {**MONEY, **won})
    assert made.mapping.open_questions == []
    totals = (
        len(deals),
        len({deal["account"] for deal in deals}),
        sum(Decimal(deal["close_value"]) for deal in deals),
    )
    assert totals == (6711, 85, 10_005_534)
    assert made.ask(TOTALS, tmp_path) == [totals]
    assert made.ask("select count(*), count(industry) from customers", tmp_path) == [(85, 85)]
    states = "select status, count(*) from orders group by 1 order by 1"
    assert made.ask(states, tmp_path) == [("cancelled", 2473), ("completed", 4238)]
    assert made.mapping.unused == ["sales_teams.csv"]


def test_purchases_without_ids_are_orders_of_a_day(public_data: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    master = public_data / "cdnow/cdnow_master.parquet"
    duckdb.execute(f"copy (from '{master}') to '{raw / 'cdnow.csv'}'")
    with (raw / "cdnow.csv").open(encoding="utf-8", newline="") as file:
        purchases = [(row["customer_id"], row["order_date"]) for row in csv.DictReader(file)]
    made = Made(raw, yes=True)
    assert made.asked == {
        "orders.order_id": "day",
        "orders.status": "completed",
        "reporting_currency": "CNY",
        "source_time_zone": "UTC",
    }
    found = made.ask(TOTALS, tmp_path)
    assert found == [(len(set(purchases)), 23_570, Decimal("2500315.63"))]
    assert made.ask("select count(*) from order_items", tmp_path) == [(69_659,)]
    assert made.ask("select count(*) from customers", tmp_path) == [(23_570,)]
    by_row = Made(raw, {"orders.order_id": "row"}, yes=True)
    assert by_row.ask("select count(*), count(distinct order_id) from orders", tmp_path) == [
        (69_659, 69_659)
    ]


def test_a_made_up_day_is_read_in_the_form_that_somebody_chose(tmp_path: Path) -> None:
    raw = folder(
        tmp_path, shop="customer_id,date,total,status\na,05/06/2024,1,paid\na,06/05/2024,2,paid\n"
    )
    answers = {**MONEY, "orders.order_id": "day", "orders.ordered_at.form": "mm/dd/yyyy"}
    orders = "select order_id, cast(read_date(ordered_at) as varchar), order_amount from orders order by 1"
    assert Made(raw, answers).ask(orders, tmp_path) == [
        ("a-2024-05-06", "2024-05-06", 1),
        ("a-2024-06-05", "2024-06-05", 2),
    ]


CHINESE = """\
订单编号,买家会员名,手机号,订单状态,实付金额,应付金额,下单时间,城市
T1,u1,13800000001,等待成团,100.00,120.00,2024/3/1 10:00:05,上海
T2,u2,13800000002,已完成,50.50,50.50,2024/3/2 23:30:00,北京
T3,u1,13800000003,已取消,20.00,20.00,2024/3/5 08:00:00,杭州
"""


def test_a_chinese_export_in_gb18030(tmp_path: Path) -> None:
    raw = folder(tmp_path, "gb18030", 订单=CHINESE)
    word = "words.orders.status.等待成团"
    made = Made(raw, {word: "pending"}, yes=True)
    assert made.asked == {
        "orders.order_amount": "实付金额",
        "reporting_currency": "CNY",
        "source_time_zone": "Asia/Shanghai",
        word: "",
    }
    assert made.ask(TOTALS, tmp_path) == [(3, 2, Decimal("170.50"))]
    # as on the newest order
    assert made.ask("select customer_id, phone, city from customers order by 1", tmp_path) == [
        ("u1", "13800000003", "杭州"),
        ("u2", "13800000002", "北京"),
    ]
    assert not made.mapping.personal_ids
    due = Made(raw, {"orders.order_amount": "应付金额", word: "pending"}, yes=True)
    assert due.ask(TOTALS, tmp_path) == [(3, 2, Decimal("190.50"))]


GERMAN = """\
Umsatzliste;;;;;;
Rechnungsnr.;Rechnungsdatum;Kundennr.;Artikelnr.;Bezeichnung;Menge;Einzelpreis
R1;25.03.2024;K1;A1;Tee;2;1.250,50 €
R1;25.03.2024;K1;A2;Tasse;1;9,90 €
R2;06.04.2024;K2;A1;Grüner Tee;1;1.250,50 €
"""


def test_a_german_export_of_lines_with_prices(tmp_path: Path) -> None:
    made = Made(folder(tmp_path, "windows-1252", Umsätze=GERMAN), {"orders.status": "paid", **ZONE})
    assert set(made.asked) == {"orders.status", "source_time_zone"}
    # 2 x 1250.50 + 9.90, and 1250.50
    orders = (
        "select order_id, customer_id, read_amount(order_amount), status from orders order by 1"
    )
    assert made.ask(orders, tmp_path) == [
        ("R1", "K1", Decimal("2510.90"), "paid"),
        ("R2", "K2", Decimal("1250.50"), "paid"),
    ]
    items = "select order_id, line_number, product_id, source_line from order_items order by 1, 2"
    assert made.ask(items, tmp_path) == [("R1", 1, "A1", 3), ("R1", 2, "A2", 4), ("R2", 1, "A1", 5)]
    assert made.ask("select product_id, product_name from products order by 1", tmp_path) == [
        ("A1", "Tee"),
        ("A2", "Tasse"),
    ]


CREDIT_NOTES = """\
Invoice Number,Reference,Date,Customer,Email,Product,Qty,Line Total,Status
I1,,2024-01-05,Ann Example,ann@example.com,A,2,20.00,paid
I1,,2024-01-05,Ann Example,ann@example.com,B,1,5.50,paid
I2,,2024-01-08,Bob Example,BOB@example.com,A,1,10.00,paid
C1,I1,2024-02-01,Ann Example,ann@example.com,A,-1,-10.00,paid
C1,I1,2024-02-01,Ann Example,ann@example.com,B,-1,-5.50,paid
C2,I2,2024-02-03,Bob Example,bob@example.com,A,-1,-10.00,paid
C3,,2024-02-05,Bob Example,bob@example.com,A,-1,-3.00,paid
I3,,2024-02-09,Bob Sample,bob@example.com,A,1,n/a,paid
I3,,2024-02-09,Bob Sample,bob@example.com,B,1,4.00,paid
"""


def test_credit_notes_with_a_reference_are_refunds_of_their_order(tmp_path: Path) -> None:
    made = Made(folder(tmp_path, invoices=CREDIT_NOTES), MONEY)
    assert set(made.asked) == set(MONEY)
    assert made.ask(
        "select refund_id, order_id, refund_amount from refunds order by 1", tmp_path
    ) == [
        ("C1", "I1", Decimal("15.50")),
        ("C2", "I2", 10),
    ]
    # one without a reference stays, to be rejected; so does an order with a line that cannot be read
    orders = "select order_id, order_amount from orders order by 1"
    assert made.ask(orders, tmp_path) == [
        ("C3", -3),
        ("I1", Decimal("25.50")),
        ("I2", 10),
        ("I3", None),
    ]
    # known by e-mail addresses, which are personal
    assert made.ask("select customer_id, full_name from customers order by 1", tmp_path) == [
        ("ann@example.com", "Ann Example"),
        ("bob@example.com", "Bob Sample"),
    ]
    assert load_mapping(tmp_path / "mapping", PROJECT).settings["pseudonymise_ids"] is True


def test_phones_as_ids_are_personal(tmp_path: Path) -> None:
    rows = "order_id,customer_id,ordered_at,status,order_amount\n1,13800000001,2024-01-05,paid,1\n"
    made = Made(folder(tmp_path, shop=rows), MONEY)
    assert "# Ids of customers are phone numbers: they are" in made.mapping.files["mapping.yml"]
    assert made.mapping.personal_ids


def test_amounts_in_cents_are_asked_for_and_divided(tmp_path: Path) -> None:
    header = "order_id,customer_id,ordered_at,status,{},currency_code\n"
    rows = "1,a,2024-01-05,paid,1999,EUR\n2,b,2024-01-06,paid,500,JPY\n"
    called = Made(folder(tmp_path, shop=header.format("amount_cents") + rows), MONEY, yes=True)
    assert called.asked["orders.order_amount.unit"] == "cents"
    amounts = "select read_amount(order_amount) from orders order by order_id"
    assert called.ask(amounts, tmp_path) == [(Decimal("19.99"),), (500,)]
    shutil.rmtree(tmp_path / "raw")
    whole = folder(tmp_path, shop=header.format("amount") + rows)
    assert Made(whole, MONEY).asked["orders.unit"] == ""
    assert Made(whole, {**MONEY, "orders.unit": "units"}).ask(amounts, tmp_path) == [
        (1999,),
        (500,),
    ]


def test_what_an_order_has_once_is_not_summed(tmp_path: Path) -> None:
    lines = """\
Order Number,Date,Customer ID,SKU,Line Total,Grand Total,Discount,Status
1,2024-01-05,a,x,10.00,17.50,2.50,paid
1,2024-01-05,a,y,10.00,17.50,2.50,paid
2,2024-01-06,b,x,10.00,10.00,0.00,paid
"""
    made = Made(folder(tmp_path, shop=lines), MONEY)
    orders = "select order_id, read_amount(order_amount), read_amount(discount_amount) from orders order by 1"
    assert made.ask(orders, tmp_path) == [("1", Decimal("17.50"), Decimal("2.50")), ("2", 10, 0)]
    assert made.ask("select sum(line_amount) from order_items", tmp_path) == [(30,)]


def test_an_amount_that_repeats_on_all_lines_is_the_order_s(tmp_path: Path) -> None:
    header = "Order Number,Date,Customer ID,SKU,Amount,Status\n"
    lines = "".join(
        f"{order},2024-01-0{order},a,{sku},{order}0.00,{status}\n"
        for order in range(1, 7)
        for sku, status in (("x", "paid"), ("y", "shipped"))
    )
    made = Made(folder(tmp_path, shop=header + lines), MONEY, yes=True)
    # 10 + 20 + ... + 60
    assert (set(made.asked) - set(MONEY), made.ask(TOTALS, tmp_path)) == (
        {"orders.status.lines"},
        [(6, 1, 210)],
    )
    few = tmp_path / "few"
    few.mkdir()
    (few / "shop.csv").write_text(header + "".join(lines.splitlines(keepends=True)[:4]))
    answers = {**MONEY, "orders.status.lines": "last"}
    per_line = Made(few, {**answers, "orders.amount": "line"})
    assert per_line.ask(TOTALS, tmp_path) == [(2, 1, 60)]
    assert per_line.ask("select distinct status from orders", tmp_path) == [("shipped",)]
    assert Made(few, {**answers, "orders.amount": "order"}).ask(TOTALS, tmp_path) == [(2, 1, 30)]


def test_an_order_number_of_several_customers_is_asked_for(tmp_path: Path) -> None:
    lines = """\
Order Number,Date,Customer ID,SKU,Line Total,Status
1,2023-01-05,a,x,10.00,paid
1,2024-01-05,b,x,5.00,paid
"""
    raw = folder(tmp_path, shop=lines)
    key = "orders.order_id.customers"
    orders = "select order_id, customer_id, order_amount from orders order by 1"
    apart = Made(raw, {**MONEY, key: "one per customer"})
    assert apart.ask(orders, tmp_path) == [("1-a", "a", 10), ("1-b", "b", 5)]
    assert Made(raw, {**MONEY, key: "one order"}).ask(orders, tmp_path) == [("1", "a", 15)]


def test_refunds_tests_deletions_and_consent_of_an_export(tmp_path: Path) -> None:
    rows = """\
Order ID;Customer ID;Order Date;Status;Total;Amount refunded;Test;Deleted;Newsletter;Tax
1;a;2024-01-05;paid;20.00;5.00;no;no;ja;3.19
2;b;2024-01-06;paid;30.00;;yes;no;nein;4.79
3;c;2024-01-07;paid;40.00;;no;yes;ja;6.39
"""
    made = Made(folder(tmp_path, shop=rows), MONEY, yes=True)
    assert made.asked["refunds.refunded_at"] == "ordered_at"
    assert made.ask("select order_id, is_test from orders order by 1", tmp_path) == [
        ("1", "no"),
        ("2", "yes"),
    ]
    refunds = "select refund_id, order_id, refunded_at, refund_amount from refunds"
    assert made.ask(refunds, tmp_path) == [("1-refund", "1", "2024-01-05", "5.00")]
    assert made.ask(
        "select customer_id, marketing_consent from customers order by 1", tmp_path
    ) == [
        ("a", "true"),
        ("b", "false"),
    ]
    assert 'To take it out: read_amount("Total") - coalesce(read_amount("Tax"), 0)' in " ".join(
        made.sql.replace("-- ", "").split()
    )
    assert 'Rows that "Deleted" marks are left out' in made.sql


def test_files_of_one_kind_are_one_source_and_names_of_sql_are_none(tmp_path: Path) -> None:
    header = "id,customer_id,date,total,status\n".replace("id,", "order_id,", 1)
    raw = folder(
        tmp_path,
        order_2023=f"{header}1,a,2023-05-06,10,paid\n",
        order_2024=f"{header}2,a,2024-05-26,20,paid\n",
        notes="text\nhello\n",
    )
    made = Made(raw, MONEY)
    assert "  order_export:\n    files: order_202*.csv\n" in made.mapping.files["mapping.yml"]
    assert made.ask(TOTALS, tmp_path) == [(2, 1, 30)]
    assert made.mapping.unused == ["notes.csv"]
    (raw / "more.xlsx").write_bytes(b"PK\3\4")
    (raw / "other.csv").write_text("id,name\n1,x\n")
    for file in raw.glob("order_*"):
        file.unlink()
    with pytest.raises(
        SourceError,
        match=r"no orders \(notes.csv, other.csv, more.xlsx\); allowed is CSV or Parquet whose",
    ):
        Made(raw)


def test_a_required_column_that_nothing_says_is_asked_for(tmp_path: Path) -> None:
    raw = folder(
        tmp_path, orders="order_id,wer,ordered_at,status,betrag x\n1,a,2024-01-05,paid,10.00\n"
    )
    made = Made(raw, MONEY)
    assert made.asked["orders.customer_id"] == made.asked["orders.order_amount"] == ""
    assert "read_text(null) as order_amount" in made.sql
    answered = Made(raw, {**MONEY, "orders.customer_id": "wer", "orders.order_amount": "betrag x"})
    assert answered.mapping.open_questions == []
    assert answered.ask(TOTALS, tmp_path) == [(1, 1, 10)]
    message = "answer orders.customer_id: found 'who'; allowed is order_id, wer, ordered_at, status, betrag x."
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Made(raw, {**MONEY, "orders.customer_id": "who"})
    (raw / "orders.csv").write_text("order_id,customer_id,ordered_at,status,order_amount\n")
    with pytest.raises(SourceError, match=r"found no rows of orders in orders\.csv; allowed"):
        Made(raw)


def test_a_file_that_is_hardly_known_is_taken_for_orders_and_the_rest_is_asked(
    tmp_path: Path,
) -> None:
    rows = "Order ID,Customer ID,bought,brand,Department,Category\n1,a,2024-01-05,x,y,z\n"
    made = Made(folder(tmp_path, shop=rows), {"reporting_currency": "EUR"})
    open_ = {key for key, proposal in made.asked.items() if not proposal}
    assert open_ == {"orders.ordered_at", "orders.order_amount"}
    assert "-- Not used: bought, brand, Department, Category." in made.sql


def test_of_several_columns_for_what_need_not_be_there_the_others_are_a_choice(
    tmp_path: Path,
) -> None:
    raw = folder(
        tmp_path,
        orders="order_id,customer_id,ordered_at,status,order_amount\n1,a,2024-01-05,paid,9\n",
        products="product_id,department,product group,product_type\np,x,y,service\n",
    )
    made = Made(raw, MONEY)
    assert set(made.asked) == set(MONEY)
    assert (
        '    -- Or department.\n    "product group" as category,\n    product_type,\n' in made.sql
    )


def test_a_question_stays_in_the_mapping_and_is_refused_until_it_is_answered(
    tmp_path: Path,
) -> None:
    raw = folder(
        tmp_path, shop="order_id,customer_id,date,total,status\n1,a,05/06/2024,10.00,neu\n"
    )
    made = Made(raw)
    assert set(made.asked) == {*MONEY, "orders.ordered_at.form", "words.orders.status.neu"}
    write_mapping(made.mapping, tmp_path / "mapping")
    with pytest.raises(BrokenRulesError) as refused:
        load_mapping(tmp_path / "mapping", PROJECT)
    assert len(refused.value.findings) == len(made.mapping.open_questions) == 4
    step = next(one for one in refused.value.findings if "export_rows" in one.where)
    assert step.where.endswith("export_rows.sql, line 5")
    assert step.found.startswith(
        'a question that is not answered: is "date" dd/mm/yyyy or mm/dd/yyyy? Found 05/06/2024.'
    ) or step.found.startswith("a question that is not answered: is date dd/mm/yyyy or mm/dd/yyyy?")
    # answered in the files
    for file in (tmp_path / "mapping").iterdir():
        lines = [line for line in file.read_text().splitlines() if "ASK:" not in line]
        file.write_text("\n".join(lines).replace("neu: ''", "neu: pending"))
    assert load_mapping(tmp_path / "mapping", PROJECT).declaration.words == {
        "orders.status": {"neu": "pending"}
    }


def test_questions_are_answered_on_a_terminal() -> None:
    asked = []

    def prompt(question: Question) -> str:
        asked.append(question.key)
        return "" if question.key == "skipped" else question.proposal

    answers = Answers({"given": "b"}, prompt=prompt)
    given = answers.to(Question("given", "which?", "a", ("a", "b")))
    proposed = answers.to(Question("proposed", "which?", "a", ("a", "b")))
    skipped = answers.to(Question("skipped", "which?", "", ("a", "b")))
    assert answers.to(Question("proposed", "which?", "a", ("a", "b"))) is proposed
    assert (given.value, given.mark, proposed.value, proposed.mark) == ("b", [], "a", [])
    assert (skipped.value, skipped.mark[0], asked) == (
        "",
        "ASK: which? (skipped)",
        ["proposed", "skipped"],
    )


def test_the_command_writes_a_new_folder_and_says_what_is_next(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("DBT_ENV_SECRET_PSEUDONYM_KEY", raising=False)
    raw = folder(tmp_path, invoices=CREDIT_NOTES)
    out = tmp_path / "my shop"

    def run(*more: str):
        return CliRunner().invoke(app, ["init", str(raw), "--out", str(out), *more])

    open_ = run("--answer", "reporting_currency=EUR")
    assert open_.exit_code == 0, open_.output
    assert f"- {out}/mapping.yml, line 4: dates say no time zone" in open_.output
    assert open_.output.endswith(
        "Next:\n"
        "export DBT_ENV_SECRET_PSEUDONYM_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(16))')  # keep it\n"
        f".venv/bin/tiering refresh --mapping '{out}' --raw {raw} --warehouse warehouse\n"
    )
    again = run("--yes")
    assert again.exit_code == 2
    assert (
        f"--out {out}: found a folder or file that is there; allowed is a new folder."
        in again.output
    )
    shutil.rmtree(out)
    unknown = run("--yes", "--answer", "currency=EUR")
    assert unknown.exit_code == 2
    assert not out.exists()
    assert (
        "found an answer to 'currency' (did you mean reporting_currency?), which is not asked"
        in unknown.output
    )
    accepted = run("--yes")
    assert accepted.exit_code == 0
    assert "\nAccepted as proposed: reporting_currency=" in accepted.output
    assert "source_time_zone=UTC" in accepted.output
    assert "ASK:" not in "".join(file.read_text() for file in out.iterdir())
