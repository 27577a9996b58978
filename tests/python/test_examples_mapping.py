"""The examples' mappings: every line and every cent of the public files accounted for.

The public files are no part of the project (completejourney_small apart): set TIERING_DATA to the
folder that holds them, or the tests that need them are skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from made_once import PROJECT
from public_examples import (
    DATA,
    EXAMPLES,
    bank_folder,
    mapped,
    public_folder,
    without_cancellations,
)

from customer_tiering.mappings import load_mapping

NAMES = ["bank", "cdnow", "completejourney", "crm_b2b", "olist", "online_retail"]
KEYS = {
    "customers": ["customer_id"],
    "orders": ["order_id"],
    "order_items": ["order_id", "line_number"],
    "products": ["product_id"],
    "refunds": ["refund_id"],
    "survey_responses": ["response_id"],
    "customer_attributes": ["customer_id", "attribute", "value"],
    "campaigns": ["campaign_id"],
    "campaign_contacts": ["campaign_id", "customer_id"],
    "account_balances": ["customer_id", "account_id", "balance_date"],
    "exchange_rates": ["rate_date", "currency_code"],
}
REQUIRED = {
    "orders": ["ordered_at", "status", "order_amount"],
    "refunds": ["order_id", "refunded_at", "refund_amount"],
    "survey_responses": ["customer_id", "responded_at", "score"],
    "campaigns": ["starts_on"],
    "campaign_contacts": ["contacted_at"],
}
STEPS = ("choices", "lines", "cancellations")  # of Online Retail
UNMATCHED = "cancellations anti join refunds using (refund_id)"


def published(file: str) -> str:
    """The path of a published result; skips the test when it is not there."""
    path = DATA / "expected" / file
    if not path.is_file():
        pytest.skip(f"{path} is not there: set TIERING_DATA to the public data")
    return str(path)


def row(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> tuple:
    """The only row of a query."""
    (only,) = connection.execute(query, values).fetchall()
    return only


@pytest.fixture(scope="module")
def online_retail() -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "online_retail", public_folder("online_retail"), STEPS) as connection:
        yield connection


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "bank", bank_folder(tmp_path_factory.mktemp("bank"))) as connection:
        yield connection


@pytest.fixture(scope="module")
def cdnow() -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "cdnow", public_folder("cdnow")) as connection:
        yield connection


@pytest.fixture(scope="module")
def completejourney() -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "completejourney", public_folder("completejourney")) as connection:
        yield connection


@pytest.fixture(scope="module")
def olist() -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "olist", public_folder("olist")) as connection:
        yield connection


@pytest.fixture(scope="module")
def crm_b2b() -> Iterator[duckdb.DuckDBPyConnection]:
    with mapped(EXAMPLES / "crm_b2b", public_folder("crm_b2b")) as connection:
        yield connection


@pytest.mark.parametrize("name", NAMES)
def test_tables_have_their_keys_and_what_the_raw_contract_requires(
    name: str, request: pytest.FixtureRequest
) -> None:
    connection = request.getfixturevalue(name)
    for table in load_mapping(EXAMPLES / name, PROJECT).tables:
        key = KEYS[table]
        keys = f"({', '.join(key)})"
        assert row(connection, f"select count(*) - count(distinct {keys}) from {table}") == (0,)
        for column in [*key, *REQUIRED.get(table, [])]:
            missing = row(connection, f"select count(*) from {table} where {column} is null")
            assert missing == (0,), (table, column)


# The made-up bank ---------------------------------------------------------------------------------


def test_the_bank_accounts_for_every_yuan_that_it_earns(bank: duckdb.DuckDBPyConnection) -> None:
    of_clients = row(bank, "select count(*), sum(cast(order_amount as decimal(18, 2))) from orders")
    earned = dict(
        bank.execute(
            "select txn_type, sum(bank_income::decimal(18, 2)) from transactions "
            "where bank_income::decimal(18, 2) > 0 group by 1"
        ).fetchall()
    )
    left_out = {kind: earned.pop(kind) for kind in ("account_fee", "overdraft_interest")}
    assert sum(earned.values()) == of_clients[1] == Decimal("805778.88")
    assert left_out == {
        "account_fee": Decimal("25540.00"),
        "overdraft_interest": Decimal("139199.05"),
    }
    assert of_clients[0] == 43_139
    assert (
        row(bank, "select count(*), sum(cast(line_amount as decimal(18, 2))) from order_items")
        == of_clients
    )


def test_every_balance_of_the_bank_is_there_and_follows_from_the_transactions(
    bank: duckdb.DuckDBPyConnection,
) -> None:
    """From one month's end to the next by what was posted in between, and not reversed."""
    assert row(bank, "select count(*) from account_balances") == (14_044,)
    assert row(bank, "select count(*) from balances") == (14_044,)
    unexplained = bank.execute(
        """
        with known as (
            select
                account_no, ledger_balance::decimal(18, 2) as held, balance_date::date as until,
                lag(held) over (partition by account_no order by until) as held_before,
                lag(until) over (partition by account_no order by until) as after
            from balances
        )

        select known.account_no, known.until
        from known left join transactions
            on known.account_no = transactions.account_no and transactions.status = 'posted'
            and transactions.posted_at::date > known.after and transactions.posted_at::date <= known.until
        where held_before is not null
        group by known.account_no, known.until, held, held_before
        having held - held_before <> coalesce(sum(txn_amount::decimal(18, 2)), 0)
        """
    ).fetchall()
    assert unexplained == []
    overdrawn = row(bank, "select count(*) from balances where ledger_balance::double < 0")
    assert overdrawn[0] > 100


# Online Retail -----------------------------------------------------------------------------------


def test_online_retail_keeps_every_line_in_exactly_one_place(
    online_retail: duckdb.DuckDBPyConnection,
) -> None:
    lines = dict(
        online_retail.execute(
            "select line_type || if(customer_id is null, ' guest', ''), count(*) "
            "from lines group by 1"
        ).fetchall()
    )
    assert lines == {
        "sale": 397_924,
        "sale guest": 132_219,
        "cancellation": 8_905,
        "cancellation guest": 383,
        "adjustment guest": 3,
        "stock_movement guest": 2_475,
    }
    assert sum(lines.values()) == 541_909
    assert row(online_retail, "select count(*) from order_items") == (397_924 + 132_219,)
    assert row(online_retail, "select count(*), count(customer_id) from orders") == (19_963, 18_536)
    assert row(online_retail, "select count(*) from customers") == (4_372,)


def test_online_retail_accounts_for_every_penny_of_the_customers(
    online_retail: duckdb.DuckDBPyConnection,
) -> None:
    (gross,) = row(
        online_retail, "select sum(order_amount) from orders where customer_id is not null"
    )
    refunds = row(online_retail, "select count(*), sum(refund_amount) from refunds")
    unmatched = row(online_retail, f"select count(*), sum(refund_amount) from {UNMATCHED}")
    (total,) = row(
        online_retail,
        "select sum(quantity * unit_price) from lines where customer_id is not null",
    )
    assert refunds == (7_516, Decimal("541842.80"))
    assert unmatched == (1_389, Decimal("69499.29"))
    # The file's four prices of a tenth of a penny are all that rounding takes away.
    assert gross - refunds[1] - unmatched[1] + Decimal("0.004") == total == Decimal("8300065.814")


def test_online_retail_accounts_for_every_penny_of_the_file(
    online_retail: duckdb.DuckDBPyConnection,
) -> None:
    amounts = dict(
        online_retail.execute(
            "select line_type || if(customer_id is null, ' guest', ''), sum(line_amount) "
            "from lines group by 1"
        ).fetchall()
    )
    assert amounts == {
        "sale": Decimal("8911407.90"),
        "sale guest": Decimal("1744214.58"),
        "cancellation": Decimal("-611342.09"),
        "cancellation guest": Decimal("-285470.40"),
        "adjustment guest": Decimal("-11062.06"),
        "stock_movement guest": Decimal("0.00"),
    }
    file = str(public_folder("online_retail") / "online_retail_2010_2011.parquet")
    (total,) = row(
        online_retail,
        "select sum(cast(quantity * unit_price as decimal(18, 3))) from read_parquet($1)",
        file,
    )
    assert sum(amounts.values()) + Decimal("0.004") == total
    assert row(online_retail, "select sum(line_amount) from order_items") == (
        amounts["sale"] + amounts["sale guest"],
    )


def test_online_retail_refunds_follow_their_order_and_never_exceed_it(
    online_retail: duckdb.DuckDBPyConnection,
) -> None:
    wrong = """
        select order_id
        from refunds
        inner join orders using (order_id)
        inner join cancellations using (refund_id)
        group by order_id, order_amount, ordered_at
        having
            sum(refunds.refund_amount) > order_amount
            or min(refunded_at) <= ordered_at
            or count(*) <> count(*) filter (orders.customer_id = cancellations.customer_id)
    """
    assert online_retail.execute(wrong).fetchall() == []


def test_online_retail_countries_have_codes(online_retail: duckdb.DuckDBPyConnection) -> None:
    uncoded = """
        select distinct country
        from customers
        inner join lines using (customer_id)
        where country_code is null
        order by country
    """
    assert online_retail.execute(uncoded).fetchall() == [
        ("Channel Islands",),
        ("European Community",),
        ("Unspecified",),
    ]


def test_online_retail_without_cancellations_is_the_published_cleaning(tmp_path: Path) -> None:
    file = published("online_retail_2010_2011_rfm_segments_computed.csv.gz")
    folder = without_cancellations(tmp_path / "mapping")
    with mapped(folder, public_folder("online_retail")) as connection:
        assert row(connection, "select count(*) from refunds") == (0,)
        # Published day counts stop at the hour of the newest order: one day less than by dates.
        found = row(
            connection,
            """
            with ours as (
                select
                    cast(customer_id as bigint) as customer_id,
                    date '2011-12-11' - max(cast(ordered_at as date)) - 1 as recency_days,
                    count(*) as orders,
                    sum(order_amount) as revenue
                from orders
                where customer_id is not null
                group by 1
            )

            select
                count(*),
                count(*) filter (recency_days = recency),
                count(*) filter (orders = frequency),
                -- Ours is in pennies; four of theirs have a tenth of a penny more.
                count(*) filter (revenue = cast(monetary as decimal(18, 2)))
            from ours
            full join read_csv($1) as theirs on ours.customer_id = theirs."Customer ID"
            """,
            file,
        )
    assert found == (4_338, 4_338, 4_338, 4_338)


# invoice, article, pieces, hour of 2011-01-01, price, customer
INVOICES = [
    ("1", "10001A", 5, 8, 2.0, 1),
    ("2", "10001a", 3, 9, 2.0, 1),
    ("3", "10001A", 9, 10, 3.0, 1),
    ("3", "10002", 1, 10, 50.0, 1),
    ("4", "10001A", 5, 11, 2.0, 2),
    ("5", "10001A", 7, 11, 2.0, None),
    ("6", "10001A", -7, 11, 0.0, None),
    ("7", "10003", 1, 12, 0.0, 2),
    ("8", "10001A", 5, 20, 2.0, 1),
    ("A9", "B", 1, 12, 99.0, None),
    # At the very price, the newest is 2: 3 is dearer, 8 later.
    ("C11", "10001A", -2, 13, 2.0, 1),
    # 2 has one left, 1 has enough.
    ("C12", "10001a", -4, 14, 2.0, 1),
    # 1 and 2 have one left each: the dearer one must do.
    ("C13", "10001A", -2, 15, 2.0, 1),
    # Dearer than 1 and 2.
    ("C14", "10001A", -1, 15, 2.5, 1),
    # Another customer's, a guest's, never bought: nothing to match.
    ("C15", "10002", -1, 15, 50.0, 2),
    ("C16", "10001A", -1, 15, 2.0, None),
    ("C17", "10004", -1, 15, 1.0, 1),
    # No goods: money of the newest order that has it left, which is 77 - 4 - 2.50 of 3 at first.
    ("C18", "M", -1, 17, 70.5, 1),
    ("C19", "D", -1, 18, 2.0, 1),
    ("C20", "M", -1, 19, 1000.0, 1),
]
REFUNDS = [
    ("C11-1", "2", Decimal("4.00")),
    ("C12-1", "1", Decimal("8.00")),
    ("C13-1", "3", Decimal("4.00")),
    ("C14-1", "3", Decimal("2.50")),
    ("C18-1", "3", Decimal("70.50")),
    ("C19-1", "2", Decimal("2.00")),
]


def write_invoices(folder: Path, invoices: list[tuple]) -> Path:
    """The hand-made invoices as the public file."""
    folder.mkdir()
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table lines (
                invoice_no varchar, stock_code varchar, description varchar, quantity integer,
                invoice_date timestamp, unit_price double, customer_id integer, country varchar
            )
            """
        )
        connection.executemany(
            "insert into lines values (?, ?, 'thing', ?, ?, ?, ?, 'EIRE')",
            [
                (invoice, article, pieces, datetime(2011, 1, 1, hour), price, customer)
                for invoice, article, pieces, hour, price, customer in invoices
            ],
        )
        connection.execute("copy lines to $1", [str(folder / "online_retail_2010_2011.parquet")])
    return folder


def test_a_cancellation_takes_back_the_newest_earlier_invoice_that_can_give(tmp_path: Path) -> None:
    data = write_invoices(tmp_path / "data", INVOICES)
    with mapped(EXAMPLES / "online_retail", data, STEPS) as connection:
        refunds = connection.execute(
            "select refund_id, order_id, refund_amount from refunds order by refund_id"
        ).fetchall()
        unmatched = connection.execute(
            f"select refund_id from {UNMATCHED} order by refund_id"
        ).fetchall()
        orders = connection.execute("select order_id from orders order by order_id").fetchall()
    assert refunds == REFUNDS
    assert unmatched == [("C15-1",), ("C17-1",), ("C20-1",)]
    # Stock movements and adjustments are no orders; what a customer got for nothing is one.
    assert orders == [("1",), ("2",), ("3",), ("4",), ("5",), ("7",), ("8",)]


def test_the_order_of_the_public_rows_changes_no_row(tmp_path: Path) -> None:
    one = write_invoices(tmp_path / "one", INVOICES)
    two = write_invoices(tmp_path / "two", INVOICES[::-1])
    folder = EXAMPLES / "online_retail"
    tables = load_mapping(folder, PROJECT).tables
    assert tables == ["customers", "order_items", "orders", "products", "refunds"]
    with mapped(folder, one) as connection, mapped(folder, two) as other:
        for table in tables:
            query = f"select * from {table} order by all"
            rows = connection.execute(query).fetchall()
            assert rows
            assert rows == other.execute(query).fetchall(), table


# CDNOW -------------------------------------------------------------------------------------------


def test_cdnow_accounts_for_every_purchase_and_cent(cdnow: duckdb.DuckDBPyConnection) -> None:
    total = Decimal("2500315.63")
    assert row(cdnow, "select count(*) from customers") == (23_570,)
    assert row(cdnow, "select count(*), sum(order_amount) from orders") == (67_591, total)
    assert row(cdnow, "select count(*), sum(line_amount) from order_items") == (69_659, total)
    assert row(cdnow, "select count(*) from orders where order_amount = 0") == (80,)


def test_cdnow_gives_the_published_weekly_repeat_purchases(
    cdnow: duckdb.DuckDBPyConnection,
) -> None:
    sample = public_folder("cdnow") / "cdnow_sample.parquet"
    if not sample.is_file():
        pytest.skip(f"{sample} is not there: set TIERING_DATA to the public data")
    # Published: a day is one purchase, the first is no repeat, week 1 begins on 1997-01-01.
    weeks = cdnow.execute(
        """
        with purchase_days as (
            select
                (cast(ordered_at as date) - date '1997-01-01') // 7 + 1 as week,
                row_number() over (partition by customer_id order by ordered_at) as purchase
            from orders
            where cast(customer_id as bigint) in (select master_id from read_parquet($1))
        )

        select count(*)
        from purchase_days
        where purchase > 1 and week between 20 and 25
        group by week
        order by week
        """,
        [str(sample)],
    ).fetchall()
    assert weeks == [(73,), (55,), (70,), (33,), (56,), (99,)]


# The Complete Journey ----------------------------------------------------------------------------


def test_completejourney_accounts_for_every_line_and_cent(
    completejourney: duckdb.DuckDBPyConnection,
) -> None:
    total = Decimal("4596039.58")
    assert row(completejourney, "select count(*) from customers") == (2_469,)
    assert row(completejourney, "select count(*), sum(order_amount) from orders") == (
        155_848,
        total,
    )
    assert row(completejourney, "select count(*), sum(line_amount) from order_items") == (
        1_469_307,
        total,
    )
    assert row(completejourney, "select sum(discount_amount) from orders") == (
        Decimal("822553.19"),
    )


def test_completejourney_counts_no_petrol_as_pieces(
    completejourney: duckdb.DuckDBPyConnection,
) -> None:
    counts = "select count(*) filter (quantity is null), sum(quantity) from order_items"
    assert row(completejourney, counts) == (14_697, Decimal("1902528.000"))


def test_completejourney_days_are_those_of_its_own_weeks(
    completejourney: duckdb.DuckDBPyConnection,
) -> None:
    # Weeks begin on Monday; the first is the Sunday of 2017-01-01 alone.
    file = str(public_folder("completejourney") / "transactions.parquet")
    (wrong,) = row(
        completejourney,
        """
        with baskets as (
            select distinct
                cast(basket_id as varchar) as order_id,
                week
            from read_parquet($1)
        )

        select count(*)
        from baskets
        inner join orders using (order_id)
        where week <> (cast(ordered_at as date) - date '2016-12-26') // 7 + 1
        """,
        file,
    )
    assert wrong == 0
    year = "select min(ordered_at)::date, max(ordered_at)::date from orders"
    assert [str(day) for day in row(completejourney, year)] == ["2017-01-01", "2017-12-31"]


def test_completejourney_has_the_demographics_and_campaigns_of_the_readme(
    completejourney: duckdb.DuckDBPyConnection,
) -> None:
    counted = completejourney.execute(
        "select attribute, count(*) from customer_attributes group by 1"
    ).fetchall()
    of_all = ("age", "income", "household_size", "household_comp", "kids_count")
    assert dict(counted) == dict.fromkeys(of_all, 801) | {
        "marital_status": 664,
        "home_ownership": 568,
    }
    contacts = "count(*), count(distinct customer_id), count(distinct campaign_id)"
    assert row(completejourney, f"select {contacts} from campaign_contacts") == (6_589, 1_559, 27)
    strangers = "select count(*) from {} anti join customers using (customer_id)"
    for table in ("customer_attributes", "campaign_contacts"):
        assert row(completejourney, strangers.format(table)) == (0,), table


def test_completejourney_small_is_part_of_the_whole(
    completejourney: duckdb.DuckDBPyConnection,
) -> None:
    folder = PROJECT / "examples" / "completejourney_small"
    for table in ["customers", "orders", "customer_attributes", "campaign_contacts", "campaigns"]:
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            ours = list(csv.reader(file))
        columns = ", ".join(f"cast({column} as varchar)" for column in ours[0])
        whole = completejourney.execute(f"select {columns} from {table}").fetchall()
        if "customer_id" in ours[0]:  # campaigns are all there
            at = ours[0].index("customer_id")
            households = {line[at] for line in ours[1:]}
            assert len(households) <= 100
            whole = [line for line in whole if line[at] in households]
        assert sorted(whole) == sorted(map(tuple, ours[1:])), table


def test_completejourney_small_accounts_for_every_cent() -> None:
    with (PROJECT / "examples/completejourney_small/orders.csv").open(encoding="utf-8") as file:
        orders = list(csv.DictReader(file))
    assert len(orders) == 9_648
    assert sum(Decimal(order["order_amount"]) for order in orders) == Decimal("319541.88")
    assert sum(Decimal(order["discount_amount"]) for order in orders) == Decimal("55199.25")
    assert len({order["customer_id"] for order in orders}) == 100


# Olist -------------------------------------------------------------------------------------------


def test_olist_accounts_for_every_order_and_centavo(olist: duckdb.DuckDBPyConnection) -> None:
    items, item_amount = row(olist, "select count(*), sum(line_amount) from order_items")
    orders, order_amount = row(olist, "select count(*), sum(order_amount) from orders")
    (without_items,) = row(
        olist,
        "select sum(order_amount) from orders anti join order_items using (order_id)",
    )
    (paid,) = row(olist, "select sum(cast(payment_value as decimal(18, 2))) from source_payments")
    interest = paid - order_amount
    assert (orders, items) == (4_000, 4_519)
    assert item_amount == Decimal("639254.77")
    assert without_items == Decimal("6096.33")
    assert order_amount == item_amount + without_items
    assert interest == Decimal("142.95")
    # What has no items never counts as revenue.
    statuses = (
        "select distinct status from orders anti join order_items using (order_id) order by 1"
    )
    assert olist.execute(statuses).fetchall() == [("canceled",), ("unavailable",)]


def test_olist_knows_people_not_orders(olist: duckdb.DuckDBPyConnection) -> None:
    assert row(olist, "select count(*) from customers") == (3_998,)
    assert row(olist, "select count(distinct customer_id) from orders") == (3_998,)
    assert row(olist, "select count(*), min(score), max(score) from survey_responses") == (
        3_986,
        1,
        5,
    )
    assert row(olist, "select count(*), count(category) from products") == (3_132, 3_083)


def test_olist_statuses_are_known(olist: duckdb.DuckDBPyConnection) -> None:
    with (PROJECT / "seeds" / "order_statuses.csv").open(encoding="utf-8", newline="") as file:
        known = {line["source_status"] for line in csv.DictReader(file)}
    found = olist.execute("select distinct status from orders").fetchall()
    assert {status for (status,) in found} <= known


# Deals of a CRM -----------------------------------------------------------------------------------


def test_crm_b2b_takes_every_won_deal_as_an_order(crm_b2b: duckdb.DuckDBPyConnection) -> None:
    assert row(crm_b2b, "select count(*), sum(order_amount) from orders") == (4_238, 10_005_534)
    assert row(crm_b2b, "select count(*), sum(line_amount) from order_items") == (4_238, 10_005_534)
    lost = "select count(*), sum(cast(close_value as decimal(18, 2))) from sales_pipeline where deal_stage <> 'Won'"
    assert row(crm_b2b, lost) == (2_473, 0)
    misspelt = "select count(*) from sales_pipeline where product = 'GTXPro' and deal_stage = 'Won'"
    assert row(crm_b2b, misspelt) == (729,)
    strangers = "select count(*) from order_items anti join products using (product_id)"
    assert row(crm_b2b, strangers) == (0,)


def test_crm_b2b_has_seven_groups(crm_b2b: duckdb.DuckDBPyConnection) -> None:
    parents = "count(parent_customer_id), count(distinct parent_customer_id)"
    assert row(crm_b2b, f"select count(*), {parents} from customers") == (85, 15, 7)
    fewest = "select min(deals) from (select count(*) as deals from orders group by customer_id)"
    assert row(crm_b2b, fewest) == (23,)
