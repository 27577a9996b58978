"""The mappings of sources/: equal to a count by pandas on the vendors' own tables, and right in each trap these do not hold.

The vendors' tables are no part of the project: set TIERING_DATA and TIERING_CASES to the folders that hold them, or the
tests that need them are skipped.
"""

from __future__ import annotations

import csv
import os
import shutil
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from customer_tiering import reading
from customer_tiering.mappings import check_mapping, load_mapping, mapped

PROJECT = Path(__file__).parents[2]
SOURCES = PROJECT / "sources"
CASES = Path(os.environ.get("TIERING_CASES", PROJECT.parent / "shared" / "cases"))
# Each source on the tables of a vendor: its folder below the public data, and what stands before and behind a name.
VENDORS = {
    "shopify_rest": ("shopify", "shopify_"),
    "shopify_graphql": ("shopify", "shopify_gql_"),
    "stripe": ("stripe", ""),
    "salesforce": ("salesforce", "sf_"),
    "hubspot": ("hubspot", ""),
    "zendesk": ("zendesk", ""),
}
AMOUNTS = ("order_amount", "discount_amount", "refund_amount", "line_amount")
TIMES = tuple(
    f"{event}_at"
    for event in "ordered refunded merged opened closed cancelled updated signed_up".split()
)
# How staging reads the columns that are compared.
READ = {
    "order_id": "read_id(order_id)",
    "customer_id": "read_id(customer_id)",
    "status": "lower_case(read_text(status))",
    "currency_code": "upper(read_text(currency_code))",
    "is_test": "coalesce(read_boolean(is_test), false)",
    "line_number": "read_whole_number(line_number)",
    "marketing_consent": "read_boolean(marketing_consent)",
    "satisfaction_score": "read_whole_number(satisfaction_score)",
    "quantity": "read_quantity(quantity)",
    **{name: f"read_amount({name})" for name in AMOUNTS},
    **{name: f"cast(read_timestamp({name}, 'UTC') as varchar)" for name in TIMES},
}


def vendor(public_data: Path, name: str, folder: Path) -> Path:
    """The vendor's tables under the connector's names, in a folder."""
    source, before = VENDORS[name]
    folder.mkdir()
    for table in load_mapping(SOURCES / source, PROJECT).sources:
        file = public_data / "sources" / name / f"{before}{table}_data.csv"
        if file.is_file():
            shutil.copy(file, folder / f"{table}.csv")
    return folder


def exported() -> Path:
    """The folder with the public export; skips the test when it is not there."""
    folder = CASES / "shopify_export" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: set TIERING_CASES to the public cases")
    return folder


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table as pandas reads it, all of it text."""
    return pd.read_csv(
        folder / f"{name}.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )


def total(amounts: Any) -> Decimal:
    return sum((Decimal(amount) for amount in amounts if amount), Decimal(0))


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One for all tests: its functions are the same."""
    connection = reading.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


class Mapped:
    """The contract tables that a mapping makes of the files of a folder."""

    schemas = count()

    def __init__(self, mapping: Path, raw: Path) -> None:
        loaded = load_mapping(mapping, PROJECT)
        # what has no orders is for another mapping to take over, and no whole of its own
        queries = (
            check_mapping(database(), loaded, raw, PROJECT)
            if "orders" in loaded.tables
            else mapped(database(), loaded, raw)
        )
        self.schema = f"mapped_{next(self.schemas)}"
        database().execute(f"create schema {self.schema}")
        for name, query in queries.items():
            database().execute(f"create table {self.schema}.{name} as select * from {query}")
        self.tables = list(queries)

    def rows(self, table: str, *columns: str) -> list[tuple]:
        """Columns of a contract table as staging reads them, ordered by all of them."""
        wanted = ", ".join(READ.get(name, f"read_text({name})") for name in columns)
        query = f"select {wanted} from {self.schema}.{table} order by all"
        return database().execute(query).fetchall()

    def count(self, table: str) -> int:
        return len(self.rows(table, "source_line"))

    def amounts(self, table: str, column: str, *by: str) -> dict[Any, tuple[int, Decimal]]:
        """Rows and the sum of a column by another, or of all rows."""
        found: dict[Any, tuple[int, Decimal]] = {}
        for amount, *key in self.rows(table, column, *by):
            rows, before = found.get(tuple(key), (0, Decimal(0)))
            found[tuple(key)] = rows + 1, before + (amount or 0)
        return {key[0] if by else True: value for key, value in found.items()}

    def all_read(self, table: str) -> list[tuple]:
        """All that staging reads of a table, without what is written in another way."""
        described = database().execute(f"describe {self.schema}.{table}").fetchall()
        columns = [row[0] for row in described if not row[0].startswith("source_")]
        return self.rows(table, *sorted(columns))


def files(folder: Path, **tables: str) -> Path:
    """A folder with CSV files, each written as an indented block of text."""
    for name, text in tables.items():
        file = folder / f"{name}.csv"
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return folder


def counted(rows: pd.DataFrame, amount: str, by: str) -> dict[str, tuple[int, Decimal]]:
    return {key: (len(part), total(part[amount])) for key, part in rows.groupby(by)}


# On the vendors' tables ---------------------------------------------------------------------------


def test_shopify_export_equals_a_count_by_pandas() -> None:
    raw = exported()
    found = Mapped(SOURCES / "shopify_export", raw)
    lines = table(raw, "orders_export_1")
    heads = lines[lines["Total"] != ""]

    assert found.amounts("orders", "order_amount", "currency_code") == counted(
        heads, "Total", "Currency"
    )
    assert [row[0] for row in found.rows("orders", "order_id")] == sorted(heads["Id"])
    assert found.rows("customers", "customer_id") == [
        (email,) for email in sorted(heads["Email"].str.lower().unique())
    ]
    assert total(heads["Refunded Amount"]) == found.count("refunds") == 0
    # The file says the sum of an order's lines itself.
    subtotals = dict(zip(heads["Id"], map(Decimal, heads["Subtotal"]), strict=True))
    items = found.amounts("order_items", "line_amount", "order_id")
    assert {order: amount for order, (_, amount) in items.items()} == subtotals
    names = dict(zip(heads["Name"], heads["Id"], strict=True))
    assert {order: count for order, (count, _) in items.items()} == dict(
        lines["Name"].map(names).value_counts()
    )
    assert (len(heads), total(heads["Total"])) == (51, Decimal("590683.29"))


def test_shopify_rest_equals_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "shopify_rest", tmp_path / "raw")
    found = Mapped(SOURCES / "shopify", raw)
    orders, lines = table(raw, "order"), table(raw, "order_line")
    expected = counted(orders, "total_price", "currency")

    assert found.amounts("orders", "order_amount", "currency_code") == expected
    assert expected == {"GBP": (3, Decimal("11.98")), "USD": (5, Decimal("615.03"))}
    assert set(found.rows("orders", "status")) == {("paid",)}
    assert found.count("customers") == table(raw, "customer")["id"].nunique() == 4
    assert found.count("refunds") == (table(raw, "transaction")["kind"] == "refund").sum() == 0
    line_total = sum(
        Decimal(line.price) * Decimal(line.quantity) - Decimal(line.total_discount)
        for line in lines.itertuples()
    )
    assert found.amounts("order_items", "line_amount") == {True: (3, line_total)}


def test_shopify_graphql_equals_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "shopify_graphql", tmp_path / "raw")
    found = Mapped(SOURCES / "shopify", raw)
    orders, lines, payments = (table(raw, name) for name in ("order", "order_line", "transaction"))
    orders = orders[orders["_fivetran_deleted"] == "FALSE"]
    orders["state"] = (
        orders["cancelled_at"].str.strip().eq("").map({True: "paid", False: "cancelled"})
    )
    expected = counted(orders, "total_price_set_shop_amount", "state")

    assert found.amounts("orders", "order_amount", "status") == expected
    assert expected == {"paid": (1, Decimal("55.00")), "cancelled": (4, Decimal("2000.00"))}
    assert found.rows("orders", "currency_code") == [("USD",)] * 5
    assert found.rows("orders", "order_id", "is_test") == sorted(
        (order.id, order.test == "TRUE") for order in orders.itertuples()
    )
    assert found.count("customers") == table(raw, "customer")["id"].nunique() == 10
    refunds = payments[
        (payments["kind"] == "refund")
        & (payments["status"] == "success")
        & (payments["test"] == "FALSE")
    ]
    assert found.rows("refunds", "refund_id", "order_id", "refund_amount") == [
        (row.id, row.order_id, Decimal(row.amount_set_shop_amount)) for row in refunds.itertuples()
    ]
    assert total(refunds["amount_set_shop_amount"]) == Decimal("120.00")
    line_total = total(lines["original_total_set_shop_amount"]) - total(
        lines["total_discount_set_shop_amount"]
    )
    assert found.amounts("order_items", "line_amount") == {True: (10, line_total)}


@pytest.mark.parametrize(
    ("other", "amounts"),
    [
        ('"Subtotal" as order_amount', "Subtotal"),
        ('read_amount("Total") - read_amount("Taxes") as order_amount', "Total less Taxes"),
    ],
)
def test_shopify_export_revenue_is_one_line_s_choice(
    other: str, amounts: str, tmp_path: Path
) -> None:
    raw = exported()
    line = '"Total" as order_amount'
    found = Mapped(
        changed("shopify_export", "orders.sql", line, other, tmp_path / "mapping"), raw
    ).amounts("orders", "order_amount")
    heads = table(raw, "orders_export_1").query("Total != ''")
    expected = {
        "Subtotal": total(heads["Subtotal"]),
        "Total less Taxes": total(heads["Total"]) - total(heads["Taxes"]),
    }
    assert found == {True: (51, expected[amounts])}
    assert expected[amounts] != total(heads["Total"])


def test_stripe_equals_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "stripe", tmp_path / "raw")
    found = Mapped(SOURCES / "stripe", raw)
    charges, customers, refunds, disputes = (
        table(raw, name) for name in ("charge", "customer", "refund", "dispute")
    )
    assert set(charges["currency"]) == set(refunds["currency"]) == {"usd"}
    expected = {
        status: (count, cents / 100)
        for status, (count, cents) in counted(charges, "amount", "status").items()
    }

    assert found.amounts("orders", "order_amount", "status") == expected
    assert expected == {"failed": (16, Decimal("66776.96"))}
    assert found.count("customers") == (customers["is_deleted"] == "FALSE").sum() == 11
    lost = disputes[disputes["status"] == "lost"]
    back = total(refunds["amount"]) / 100 + total(lost["amount"]) / 100
    assert found.amounts("refunds", "refund_amount") == {True: (len(refunds) + len(lost), back)}
    assert (len(refunds), len(lost), back) == (4, 7, Decimal("30510.20"))


def changed(source: str, file: str, line: str, other: str, folder: Path) -> Path:
    """A copy of a mapping with another line in one of its files."""
    shutil.copytree(SOURCES / source, folder)
    sql = (folder / file).read_text(encoding="utf-8")
    assert sql.count(line) == 1
    (folder / file).write_text(sql.replace(line, other), encoding="utf-8")
    return folder


def sales_are_orders(folder: Path) -> Path:
    return changed("salesforce", "sales.sql", "'opportunity' as kind", "'order' as kind", folder)


def test_salesforce_opportunities_equal_a_count_by_pandas(
    public_data: Path, tmp_path: Path
) -> None:
    raw = vendor(public_data, "salesforce", tmp_path / "raw")
    deals, accounts = table(raw, "opportunity"), table(raw, "account")
    # All ten are deleted; what they would be otherwise is looked at too.
    assert Mapped(SOURCES / "salesforce", raw).count("orders") == 0
    deals["is_deleted"] = "false"
    deals.to_csv(raw / "opportunity.csv", index=False)
    found = Mapped(SOURCES / "salesforce", raw)
    won = deals[(deals["is_won"] == "true") & (deals["_fivetran_active"] == "true")]

    assert found.amounts("orders", "order_amount", "status") == {
        "closed won": (len(won), total(won["amount"]))
    }
    assert (len(won), total(won["amount"])) == (5, Decimal(24_120_000))
    assert found.rows("orders", "order_id", "ordered_at") == sorted(
        (row.id, row.close_date[:10] + " 12:00:00") for row in won.itertuples()
    )
    assert found.count("refunds") == 0
    alive = accounts[(accounts["is_deleted"] == "false") & (accounts["_fivetran_active"] == "true")]
    assert found.rows("customers", "customer_id") == [(id_,) for id_ in sorted(alive["id"])]
    merged = accounts[accounts["master_record_id"] != ""]
    assert found.rows("customer_merges", "from_customer_id", "into_customer_id") == [
        (row.id, row.master_record_id) for row in merged.itertuples()
    ]
    assert (len(alive), len(merged)) == (1, 1)


def test_salesforce_orders_equal_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "salesforce", tmp_path / "raw")
    found = Mapped(sales_are_orders(tmp_path / "mapping"), raw)
    orders = table(raw, "order")
    orders = orders[(orders["status_code"] == "Activated") & (orders["is_deleted"] == "FALSE")]

    assert found.amounts("orders", "order_amount", "status") == {
        "activated": (len(orders), total(orders["total_amount"]))
    }
    assert (len(orders), total(orders["total_amount"])) == (10, Decimal("54800.6"))
    assert found.rows("orders", "order_id", "customer_id") == sorted(
        (row.id, row.account_id) for row in orders.itertuples()
    )


def test_hubspot_equals_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "hubspot", tmp_path / "raw")
    deals, stages = table(raw, "deal"), table(raw, "deal_pipeline_stage")
    contacts, companies = table(raw, "contact"), table(raw, "company")
    # No deal has a stage or an amount; half of them get one here.
    assert Mapped(SOURCES / "hubspot", raw).count("orders") == 0
    for place, stage in enumerate(stages.itertuples()):
        if place < len(deals) // 2:
            deals.loc[place, "deal_pipeline_stage_id"] = stage.stage_id
            deals.loc[place, "deal_pipeline_id"] = stage.pipeline_id
            deals.loc[place, "property_amount"] = f"{place}.25"
    deals.to_csv(raw / "deal.csv", index=False, quoting=csv.QUOTE_ALL)
    found = Mapped(SOURCES / "hubspot", raw)
    won = deals.merge(
        stages[stages["closed_won"] == "TRUE"],
        left_on=["deal_pipeline_stage_id", "deal_pipeline_id"],
        right_on=["stage_id", "pipeline_id"],
    )

    assert len(won) == 3
    assert found.amounts("orders", "order_amount", "status") == {
        "closed won": (len(won), total(won["property_amount"]))
    }
    assert found.rows("customers", "customer_id") == sorted(
        [(f"company-{id_}",) for id_ in companies["id"]]
        + [(f"contact-{id_}",) for id_ in contacts["id"]]
    )
    named = contacts[contacts["property_hs_merged_object_ids"] != ""]
    audit = table(raw, "contact_merge_audit")
    assert found.rows("customer_merges", "from_customer_id", "into_customer_id") == sorted(
        [
            (f"contact-{old}", f"contact-{row.id}")
            for row in named.itertuples()
            for old in row.property_hs_merged_object_ids.split(";")
        ]
        + [
            (f"contact-{row.vid_to_merge}", f"contact-{row.canonical_vid}")
            for row in audit.itertuples()
        ]
    )
    assert (len(companies), len(contacts), found.count("customer_merges")) == (24, 22, 7)


def test_zendesk_equals_a_count_by_pandas(public_data: Path, tmp_path: Path) -> None:
    raw = vendor(public_data, "zendesk", tmp_path / "raw")
    found = Mapped(SOURCES / "zendesk", raw)
    tickets, users, history = (
        table(raw, name) for name in ("ticket", "user", "ticket_field_history")
    )
    solved = history[(history["field_name"] == "status") & (history["value"] == "solved")]
    last = solved.groupby("ticket_id")["updated"].max()
    emails = {row.id: row.email for row in users.itertuples() if row.role == "end-user"}

    assert found.rows("tickets", "ticket_id", "customer_id", "opened_at", "closed_at") == sorted(
        (
            row.id,
            emails.get(row.requester_id),
            row.created_at,
            last.get(row.id, row.updated_at),
        )
        for row in tickets.itertuples()
        if row.status != "deleted"
    )
    assert (len(tickets), found.count("tickets")) == (10, 8)


@pytest.mark.parametrize("name", VENDORS)
def test_typed_tables_give_what_text_gives(name: str, public_data: Path, tmp_path: Path) -> None:
    """A connector's schema has numbers, times and booleans where CSV has text."""
    raw, typed = vendor(public_data, name, tmp_path / "raw"), tmp_path / "typed"
    typed.mkdir()
    for file in raw.iterdir():
        duckdb.execute(
            f"copy (from read_csv('{file}', nullstr = '')) to '{typed / file.stem}.parquet'"
        )
    mapping = SOURCES / VENDORS[name][0]
    as_text, as_typed = Mapped(mapping, raw), Mapped(mapping, typed)
    for table_name in as_text.tables:
        assert as_text.all_read(table_name) == as_typed.all_read(table_name), table_name


# What the mappings pass on as a status: the words that the systems document, and those of the SQL.
STATUSES = {
    "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired",
    "cancelled", "succeeded", "failed", "closed won", "activated",
}  # fmt: skip


def test_every_status_that_a_source_has_is_known() -> None:
    known = pd.read_csv(PROJECT / "seeds/order_statuses.csv")["source_status"].str.lower()
    assert STATUSES - set(known) == set()


# Traps that the vendors' tables do not hold -------------------------------------------------------

EXPORT = (
    "Name,Email,Financial Status,Accepts Marketing,Currency,Subtotal,Total,Discount Amount,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,Billing City,Billing Zip,"
    "Billing Province,Billing Country,Billing Phone,Shipping City,Shipping Zip,Shipping Province,Shipping Country,"
    "Cancelled at,Refunded Amount,Id,Source,Phone"
).split(",")


def export(file: Path, *rows: dict[str, str]) -> None:
    """A file of the export in which only these cells are filled."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, EXPORT, restval="")
        writer.writeheader()
        writer.writerows(rows)


def head(name: str, total: str, **more: str) -> dict[str, str]:
    created = {"Created at": "2024-05-01 10:00:00 +0200"}
    line = {"Lineitem quantity": "1", "Lineitem price": total, "Lineitem sku": "A"}
    order = {"Name": name, "Financial Status": "paid", "Total": total, "Currency": "EUR"}
    return order | created | line | {key.replace("_", " "): value for key, value in more.items()}


def line(name: str, quantity: str, price: str) -> dict[str, str]:
    sold = {"Lineitem quantity": quantity, "Lineitem price": price, "Lineitem sku": "B"}
    return {"Name": name, "Created at": "2024-05-01 10:00:00 +0200"} | sold


@pytest.fixture(scope="module")
def shop_export(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    folder = tmp_path_factory.mktemp("export")
    export(
        folder / "orders_export_1.csv",
        head("#1", "30.00", Id="11", Email="Ann@Example.com", Billing_Zip="'01067"),
        line("#1", "2", "4.00"),
        # another order of the same name, as after a change of the prefix
        head("#1", "50.00", Id="12", Email="ann@example.com", Created_at="2024-06-01 10:00:00 +0200"),
        line("#1", "3", "5.00"),
        # no Id
        head("#2", "20.00", Phone="+49 351 1", Source="pos"),
        # cancelled and paid back in full; no buyer
        head("#3", "70.00", Id="13", Cancelled_at="2024-05-09 08:00:00 +0200", Refunded_Amount="70.00"),
        # in part, and an amount that nobody can read
        head("#4", "90.00", Id="14", Email="bob@example.com", Refunded_Amount="12.50"),
        head("#5", "91.00", Id="15", Email="bob@example.com", Refunded_Amount="12,50"),
    )  # fmt: skip
    # The lines of #5 go on in the next file.
    export(folder / "orders_export_2.csv", line("#5", "4", "6.00"), head("#6", "1.00", Id="16"))
    return Mapped(SOURCES / "shopify_export", folder)


def test_shopify_export_keys_orders_by_id(shop_export: Mapped) -> None:
    assert shop_export.rows("orders", "order_id", "status", "order_amount", "channel") == [
        ("#2", "paid", Decimal("20.00"), "store"),
        ("11", "paid", Decimal("30.00"), "web"),
        ("12", "paid", Decimal("50.00"), "web"),
        ("13", "cancelled", Decimal("70.00"), "web"),
        ("14", "paid", Decimal("90.00"), "web"),
        ("15", "paid", Decimal("91.00"), "web"),
        ("16", "paid", Decimal("1.00"), "web"),
    ]


def test_shopify_export_gives_each_line_to_its_own_order(shop_export: Mapped) -> None:
    items = shop_export.rows("order_items", "order_id", "line_number", "line_amount")
    assert [item for item in items if item[0] in ("11", "12", "15")] == [
        ("11", 1, Decimal("30.00")),
        ("11", 2, Decimal("8.00")),
        ("12", 1, Decimal("50.00")),
        ("12", 2, Decimal("15.00")),
        ("15", 1, Decimal("91.00")),
        ("15", 2, Decimal("24.00")),
    ]


def test_shopify_export_refunds_what_was_given_back(shop_export: Mapped) -> None:
    assert shop_export.rows("refunds", "refund_id", "order_id", "refunded_at", "refund_amount") == [
        ("13-refund", "13", "2024-05-09 06:00:00", Decimal("70.00")),
        ("14-refund", "14", "2024-05-01 08:00:00", Decimal("12.50")),
        # staging rejects it, with what stood there
        ("15-refund", "15", "2024-05-01 08:00:00", None),
    ]


def test_shopify_export_knows_a_buyer_by_e_mail_or_phone(shop_export: Mapped) -> None:
    assert shop_export.rows("customers", "customer_id", "updated_at", "postal_code") == [
        ("+49 351 1", "2024-05-01 08:00:00", None),
        # as on the newer order, which has no postal code
        ("ann@example.com", "2024-06-01 08:00:00", None),
        ("bob@example.com", "2024-05-01 08:00:00", None),
    ]
    assert ("13", None) in shop_export.rows("orders", "order_id", "customer_id")


def test_shopify_export_places_rows_in_their_file(shop_export: Mapped) -> None:
    places = shop_export.rows(
        "order_items", "order_id", "line_number", "source_file", "source_line"
    )
    assert ("12", 2, "orders_export_1.csv", "5") in places
    assert ("15", 2, "orders_export_2.csv", "2") in places


@pytest.fixture(scope="module")
def shopify(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    # 9001 was imported in March; 9005 is deleted; 9006 was paid in euros; 9007 has no customer
    return Mapped(SOURCES / "shopify", files(
        tmp_path_factory.mktemp("shopify"),
        order="""
        id,customer_id,processed_at,created_at,updated_at,financial_status,total_price,total_discounts,currency,source_name,location_id,test,cancelled_at,_fivetran_deleted
        9001,501,2024-01-05 09:00:00,2024-03-01 00:00:00,2024-03-01 00:00:00,paid,100.00,0,USD,web,,FALSE,,FALSE
        9002,501,,2024-02-01 09:00:00,2024-02-10 09:00:00,partially_refunded,80.00,5.00,USD,web,,FALSE,,FALSE
        9003,502,,2024-02-02 09:00:00,2024-02-03 09:00:00,refunded,60.00,0,USD,web,,FALSE,2024-02-03 09:00:00,FALSE
        9004,502,,2024-02-04 09:00:00,2024-02-04 09:00:00,paid,40.00,0,USD,web,,TRUE,,FALSE
        9005,502,,2024-02-05 09:00:00,2024-02-05 09:00:00,paid,30.00,0,USD,web,,FALSE,,TRUE
        9006,502,,2024-02-06 09:00:00,2024-02-06 09:00:00,partially_refunded,50.00,0,USD,web,,FALSE,,FALSE
        9007,,,2024-02-07 09:00:00,2024-02-07 09:00:00,paid,20.00,0,USD,pos,77,FALSE,,
        """,
        transaction="""
        id,order_id,kind,status,test,processed_at,amount,currency,currency_exchange_final_amount,currency_exchange_currency
        1,9002,sale,success,FALSE,2024-02-01 09:00:00,80.00,USD,,
        2,9002,refund,success,FALSE,2024-02-03 10:00:00,10.00,USD,,
        3,9002,refund,success,FALSE,2024-02-10 09:00:00,5.50,USD,,
        4,9002,refund,failure,FALSE,2024-02-11 09:00:00,7.00,USD,,
        5,9002,refund,success,TRUE,2024-02-11 09:00:00,8.00,USD,,
        6,9006,refund,success,FALSE,2024-02-12 09:00:00,9.00,EUR,-9.90,USD
        7,9006,refund,success,FALSE,2024-02-13 09:00:00,3.00,EUR,,
        """,
        order_line="""
        id,order_id,product_id,quantity,price,total_discount
        32,9001,71,2,30.00,0
        9,9001,72,1,45.00,5.00
        """,
        customer="""
        id,email,phone,first_name,last_name,created_at,updated_at,accepts_marketing,email_marketing_consent_state,default_address_id
        501,a@example.com,,Ann,,2024-01-01 00:00:00,2024-01-01 00:00:00,FALSE,subscribed,62
        502,b@example.com,,,Bee,2024-01-01 00:00:00,2024-01-01 00:00:00,TRUE,pending,
        503,c@example.com,,,,2024-01-01 00:00:00,2024-01-01 00:00:00,TRUE,,
        """,
        customer_address="""
        id,customer_id,country_code,province,city,zip
        61,501,AT,,Wien,1010
        62,501,DE,,Bonn,53111
        """,
        product="""
        id,title,product_type
        71,Lamp,Light
        """,
    ))  # fmt: skip


def test_shopify_dates_cancels_tests_and_leaves_out(shopify: Mapped) -> None:
    assert shopify.rows(
        "orders", "order_id", "ordered_at", "status", "order_amount", "is_test"
    ) == [
        ("9001", "2024-01-05 09:00:00", "paid", Decimal("100.00"), False),
        ("9002", "2024-02-01 09:00:00", "partially_refunded", Decimal("80.00"), False),
        ("9003", "2024-02-02 09:00:00", "cancelled", Decimal("60.00"), False),
        ("9004", "2024-02-04 09:00:00", "paid", Decimal("40.00"), True),
        ("9006", "2024-02-06 09:00:00", "partially_refunded", Decimal("50.00"), False),
        ("9007", "2024-02-07 09:00:00", "paid", Decimal("20.00"), False),
    ]
    assert ("9007", None, "store", "77") in shopify.rows(
        "orders", "order_id", "customer_id", "channel", "store_id"
    )


def test_shopify_refunds_what_was_paid_back_in_the_shop_s_currency(shopify: Mapped) -> None:
    assert shopify.rows("refunds", "refund_id", "order_id", "refunded_at", "refund_amount") == [
        ("2", "9002", "2024-02-03 10:00:00", Decimal("10.00")),
        ("3", "9002", "2024-02-10 09:00:00", Decimal("5.50")),
        ("6", "9006", "2024-02-12 09:00:00", Decimal("9.90")),
        ("7", "9006", "2024-02-13 09:00:00", None),
    ]
    query = f"select refund_amount from {shopify.schema}.refunds where refund_id = '7'"
    assert database().execute(query).fetchall() == [("3.00 EUR",)]


def test_shopify_customers_have_their_default_address_and_consent(shopify: Mapped) -> None:
    assert shopify.rows("customers", "customer_id", "full_name", "city", "marketing_consent") == [
        ("501", "Ann", "Bonn", True),
        ("502", "Bee", None, False),
        ("503", None, None, True),
    ]


def test_shopify_numbers_lines_by_id_and_takes_their_discount_off(shopify: Mapped) -> None:
    assert shopify.rows("order_items", "order_id", "line_number", "line_amount") == [
        ("9001", 1, Decimal("40.00")),
        ("9001", 2, Decimal("60.00")),
    ]


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    charges = [
        ("usd", 1999, "succeeded", "TRUE", "TRUE"),
        ("jpy", 5000, "succeeded", "TRUE", "TRUE"),
        ("kwd", 5120, "succeeded", "TRUE", "TRUE"),
        ("isk", 500, "succeeded", "TRUE", "TRUE"),
        ("ugx", 500, "succeeded", "TRUE", "TRUE"),
        ("eur", 700, "succeeded", "FALSE", "TRUE"),
        ("eur", 800, "succeeded", "TRUE", "FALSE"),
        ("eur", 900, "failed", "FALSE", "TRUE"),
    ]
    listed = "\n".join(
        f"ch_{number},cus_1,2024-03-0{number} 12:00:00,{','.join(map(str, charge))}"
        for number, charge in enumerate(charges, start=1)
    )
    return Mapped(SOURCES / "stripe", files(
        tmp_path_factory.mktemp("stripe"),
        charge=f"id,customer_id,created,currency,amount,status,captured,livemode\n{listed}\n",
        refund="""
        id,charge_id,created,currency,amount,status
        re_1,ch_1,2024-03-10 12:00:00,usd,500,succeeded
        re_2,ch_1,2024-03-11 12:00:00,usd,250,succeeded
        re_3,ch_1,2024-03-12 12:00:00,usd,100,pending
        re_4,ch_2,2024-03-12 12:00:00,jpy,1200,succeeded
        """,
        dispute="""
        id,charge_id,created,currency,amount,status
        du_1,ch_3,2024-03-13 12:00:00,kwd,5120,lost
        du_2,ch_4,2024-03-13 12:00:00,isk,500,won
        """,
        customer="""
        id,name,email,phone,address_country,address_state,address_city,address_postal_code,created,is_deleted,livemode
        cus_1,Ann,a@example.com,,DE,,Bonn,,2024-01-01 00:00:00,FALSE,TRUE
        cus_2,Bee,b@example.com,,DE,,Bonn,,2024-01-01 00:00:00,TRUE,TRUE
        cus_3,Cat,c@example.com,,DE,,Bonn,,2024-01-01 00:00:00,FALSE,FALSE
        """,
    ))  # fmt: skip


def test_stripe_amounts_are_in_the_minor_unit_of_their_currency(stripe: Mapped) -> None:
    assert stripe.rows(
        "orders", "order_id", "currency_code", "order_amount", "status", "is_test"
    ) == [
        ("ch_1", "USD", Decimal("19.99"), "succeeded", False),
        ("ch_2", "JPY", Decimal("5000.00"), "succeeded", False),
        ("ch_3", "KWD", Decimal("5.12"), "succeeded", False),
        # https://docs.stripe.com/currencies: to charge 5 ISK, or 5 UGX, the amount is 500
        ("ch_4", "ISK", Decimal("5.00"), "succeeded", False),
        ("ch_5", "UGX", Decimal("5.00"), "succeeded", False),
        ("ch_6", "EUR", Decimal("7.00"), "authorized", False),
        ("ch_7", "EUR", Decimal("8.00"), "succeeded", True),
        ("ch_8", "EUR", Decimal("9.00"), "failed", False),
    ]


def test_stripe_refunds_and_lost_disputes_are_money_back(stripe: Mapped) -> None:
    assert stripe.rows("refunds", "refund_id", "order_id", "refund_amount") == [
        ("du_1", "ch_3", Decimal("5.12")),
        ("re_1", "ch_1", Decimal("5.00")),
        ("re_2", "ch_1", Decimal("2.50")),
        ("re_4", "ch_2", Decimal("1200.00")),
    ]


def test_stripe_leaves_deleted_and_test_customers_out(stripe: Mapped) -> None:
    assert stripe.rows("customers", "customer_id") == [("cus_1",)]


@pytest.fixture(scope="module")
def salesforce_raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files(
        tmp_path_factory.mktemp("salesforce_raw"),
        account="""
        id,name,industry,number_of_employees,parent_id,phone,account_source,billing_country,billing_country_code,billing_state,billing_city,billing_postal_code,is_deleted,master_record_id,is_person_account,person_email,last_modified_date,_fivetran_synced,_fivetran_active
        A1,Acme,Retail,50,,,Web,Germany,DE,,Bonn,,false,,false,,2024-01-01 00:00:00,2024-02-01 00:00:00,true
        A1,Acme (old),Retail,5,,,Web,Germany,DE,,Bonn,,false,,false,,2023-01-01 00:00:00,2024-02-01 00:00:00,false
        A2,Acme twice,Retail,50,,,Web,Germany,DE,,Bonn,,true,A1,false,,2024-01-07 00:00:00,2024-02-01 00:00:00,true
        A3,Ann,,,,,Web,Austria,,,Wien,,false,,true,ann@example.com,2024-01-01 00:00:00,2024-02-01 00:00:00,true
        """,
        opportunity="""
        id,account_id,amount,close_date,is_won,is_deleted,_fivetran_active
        O1,A1,1000.50,2024-03-31,true,false,true
        O1,A1,900,2024-03-31,true,false,false
        O2,A1,2000,2024-03-31,false,false,true
        O3,A3,3000,2024-03-31,true,true,true
        O4,A3,,2024-04-01,true,false,true
        """,
        opportunity_line_item="""
        id,opportunity_id,product_2_id,quantity,total_price,is_deleted
        L2,O1,P1,2,600.25,false
        L1,O1,P2,1,400.25,false
        L3,O1,P2,1,400.25,true
        L4,O2,P2,1,2000,false
        """,
        order="""
        id,account_id,activated_date,effective_date,is_deleted,is_reduction_order,original_order_id,status_code,total_amount,_fivetran_active
        S1,A1,2024-05-02 10:00:00,2024-05-01,false,false,,Activated,500.00,true
        S2,A1,,2024-05-03,false,false,,Draft,70.00,true
        S3,A1,2024-05-04 10:00:00,2024-05-01,false,true,S1,Activated,-120.00,true
        S4,A1,2024-05-04 10:00:00,2024-05-01,true,false,,Activated,80.00,true
        """,
    )  # fmt: skip


def test_salesforce_counts_won_opportunities_once(salesforce_raw: Path) -> None:
    found = Mapped(SOURCES / "salesforce", salesforce_raw)
    assert found.rows("orders", "order_id", "customer_id", "ordered_at", "order_amount") == [
        ("O1", "A1", "2024-03-31 12:00:00", Decimal("1000.50")),
        ("O4", "A3", "2024-04-01 12:00:00", None),
    ]
    assert found.rows("order_items", "order_id", "line_number", "product_id", "line_amount") == [
        ("O1", 1, "P2", Decimal("400.25")),
        ("O1", 2, "P1", Decimal("600.25")),
    ]
    assert found.count("refunds") == 0


def test_salesforce_orders_are_one_line_s_choice(salesforce_raw: Path, tmp_path: Path) -> None:
    found = Mapped(sales_are_orders(tmp_path / "mapping"), salesforce_raw)
    assert found.rows("orders", "order_id", "ordered_at", "status", "order_amount") == [
        ("S1", "2024-05-02 10:00:00", "activated", Decimal("500.00"))
    ]
    assert found.rows("refunds", "refund_id", "order_id", "refund_amount") == [
        ("S3", "S1", Decimal("120.00"))
    ]


def test_salesforce_merges_accounts(salesforce_raw: Path) -> None:
    found = Mapped(SOURCES / "salesforce", salesforce_raw)
    assert found.rows("customers", "customer_id", "full_name", "customer_type", "country_code") == [
        ("A1", "Acme", "company", "DE"),
        ("A3", "Ann", "person", "Austria"),
    ]
    assert found.rows("customer_merges", "from_customer_id", "into_customer_id", "merged_at") == [
        ("A2", "A1", "2024-01-07 00:00:00")
    ]


@pytest.fixture(scope="module")
def hubspot(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    return Mapped(SOURCES / "hubspot", files(
        tmp_path_factory.mktemp("hubspot"),
        deal="""
        deal_id,deal_pipeline_id,deal_pipeline_stage_id,property_amount,property_closedate,is_deleted
        1,default,won,100.25,2024-03-01 10:00:00,false
        2,default,open,200,2024-03-01 10:00:00,false
        3,default,won,300,2024-03-01 10:00:00,true
        4,default,won,400,2024-03-01 10:00:00,false
        5,other,won,500,2024-03-01 10:00:00,false
        6,default,won,,2024-03-01 10:00:00,false
        """,
        deal_pipeline_stage="""
        stage_id,pipeline_id,closed_won
        won,default,TRUE
        open,default,FALSE
        won,other,FALSE
        """,
        # 4 was merged into 1
        merged_deal="""
        deal_id,merged_deal_id
        1,4
        """,
        deal_company="""
        deal_id,company_id,type_id
        1,8,341
        1,9,5
        """,
        deal_contact="""
        deal_id,contact_id
        1,12
        6,9
        """,
        company="""
        id,property_name,is_deleted
        8,Acme,false
        9,Bee,false
        10,Gone,true
        """,
        contact="""
        id,property_firstname,property_lastname,property_email,property_hs_merged_object_ids,property_lastmodifieddate,_fivetran_deleted
        9,Ann,Ace,a@example.com,12;13,2024-02-01 00:00:00,false
        12,Ann,A,b@example.com,,2024-01-01 00:00:00,false
        112,Other,O,c@example.com,,2024-01-01 00:00:00,false
        14,Gone,G,d@example.com,,2024-01-01 00:00:00,true
        """,
    ))  # fmt: skip


def test_hubspot_counts_deals_won_in_their_pipeline_once(hubspot: Mapped) -> None:
    assert hubspot.rows("orders", "order_id", "customer_id", "order_amount") == [
        # its primary company
        ("1", "company-9", Decimal("100.25")),
        ("6", "contact-9", None),
    ]


def test_hubspot_keeps_companies_and_contacts_apart_and_merges_contacts(hubspot: Mapped) -> None:
    assert hubspot.rows("customers", "customer_id", "customer_type") == [
        ("company-8", "company"),
        ("company-9", "company"),
        ("contact-112", "person"),
        ("contact-12", "person"),
        ("contact-9", "person"),
    ]
    assert hubspot.rows("customer_merges", "from_customer_id", "into_customer_id") == [
        ("contact-12", "contact-9"),
        ("contact-13", "contact-9"),
    ]


@pytest.fixture(scope="module")
def zendesk(tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    return Mapped(SOURCES / "zendesk", files(
        tmp_path_factory.mktemp("zendesk"),
        ticket="""
        id,requester_id,created_at,updated_at,status,type,priority,merged_ticket_ids
        1,21,2024-04-01 09:00:00,2024-04-20 09:00:00,closed,incident,urgent,"[2, 31]"
        2,21,2024-04-01 10:00:00,2024-04-02 09:00:00,closed,question,,[]
        3,21,2024-04-03 09:00:00,2024-04-09 09:00:00,open,problem,low,
        4,22,2024-04-03 09:00:00,2024-04-04 09:00:00,solved,task,,
        5,21,2024-04-03 09:00:00,2024-04-04 09:00:00,deleted,question,,
        6,23,2024-04-03 09:00:00,2024-04-04 09:00:00,solved,question,,
        13,21,2024-04-05 09:00:00,2024-04-06 09:00:00,solved,question,,
        """,
        user="""
        id,email,role
        21,Ann@Example.com,end-user
        22,bob@example.com,end-user
        23,agent@example.com,agent
        """,
        ticket_field_history="""
        ticket_id,field_name,value,updated
        1,status,solved,2024-04-05 09:00:00
        1,status,open,2024-04-06 09:00:00
        1,status,solved,2024-04-10 09:00:00
        1,status,closed,2024-04-14 09:00:00
        3,status,solved,2024-04-05 09:00:00
        """,
        satisfaction_rating="""
        id,ticket_id,score,updated_at
        1,1,bad,2024-04-10 10:00:00
        2,1,good,2024-04-11 10:00:00
        3,3,offered,2024-04-11 10:00:00
        4,4,Bad with comment,2024-04-11 10:00:00
        """,
    ))  # fmt: skip


def test_zendesk_keeps_the_tickets_of_customers(zendesk: Mapped) -> None:
    assert zendesk.rows(
        "tickets", "ticket_id", "customer_id", "closed_at", "satisfaction_score"
    ) == [
        ("1", "ann@example.com", "2024-04-10 09:00:00", 5),
        ("13", "ann@example.com", "2024-04-06 09:00:00", None),
        ("3", "ann@example.com", None, None),
        ("4", "bob@example.com", "2024-04-04 09:00:00", 1),
    ]


def test_zendesk_has_complaints(zendesk: Mapped) -> None:
    assert zendesk.rows("tickets", "ticket_id", "ticket_type", "severity") == [
        ("1", "complaint", "urgent"),
        ("13", "question", None),
        ("3", "complaint", "low"),
        ("4", None, None),
    ]


def test_zendesk_is_added_to_another_mapping(tmp_path: Path) -> None:
    """As its README says: SQL files copied, sources and words taken over."""
    folder, raw = tmp_path / "mapping", tmp_path / "raw"
    shutil.copytree(SOURCES / "zendesk", folder)
    shutil.copytree(SOURCES / "shopify_export", folder, dirs_exist_ok=True)
    ours, theirs = (
        yaml.safe_load((SOURCES / name / "mapping.yml").read_text(encoding="utf-8"))
        for name in ("shopify_export", "zendesk")
    )
    both = {**theirs, **ours, "sources": theirs["sources"] | ours["sources"]}
    (folder / "mapping.yml").write_text(yaml.safe_dump(both), encoding="utf-8")
    raw.mkdir()
    export(raw / "orders_export.csv", head("#1", "30.00", Id="11", Email="Ann@Example.com"))
    files(
        raw,
        ticket="""
        id,requester_id,created_at,updated_at,status,type,priority
        1,21,2024-04-01 09:00:00,2024-04-20 09:00:00,closed,incident,urgent
        """,
        user="""
        id,email,role
        21,ann@example.COM,end-user
        """,
    )
    found = Mapped(folder, raw)
    assert found.rows("tickets", "customer_id", "ticket_type") == [("ann@example.com", "complaint")]
    assert found.rows("orders", "customer_id") == [("ann@example.com",)]
