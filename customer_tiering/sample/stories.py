"""What real extracts hold besides good rows: refunds that do not fit, merges of every shape, versions of a key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from customer_tiering.sample.company import Company, Row
from customer_tiering.sample.customers import BLANK_PADDED_ID
from customer_tiering.sample.values import at_business_hours, cents, money, spell

UNKNOWN_IDS = ["N001", "N002", "N003", "N004", "N005", "é006", "OLD17"]  # only in orders


def is_plain_order(row: Row) -> bool:
    """An order by a customer, completed in words, so that changing it keeps its meaning."""
    is_completed = row["status"] in "completed complete fulfilled closed paid delivered".split()
    return is_completed and bool(row["customer_id"]) and row["order_amount"] != "0.00"


def tell_refunds(company: Company) -> None:
    """Refunds beyond their order, of orders that never counted, and before their order."""
    rng = company.stream("refund stories")
    refunded = {row["order_id"] for row in company.tables["refunds"]}

    def add(order: Row, days: int, percent: int) -> None:
        when = spell(company.moments[order["order_id"]] + timedelta(days))
        part = money(cents(order["order_amount"]) * percent // 100)
        company.add("refunds", company.number("refunds", "R"), order["order_id"], when, part)

    def orders(count: int, fits: Callable[[Row], bool]) -> list[Row]:
        def where(row: Row) -> bool:
            is_old = company.moments[row["order_id"]].year < 2025
            return is_old and row["order_id"] not in refunded and fits(row)

        return company.take(rng, "orders", count, where)

    for order in orders(3, is_plain_order):  # partly beyond
        add(order, 5, 70)
        add(order, 30, 50)
    for order in orders(2, is_plain_order):  # wholly beyond
        add(order, 3, 100)
        add(order, 60, 20)
    for order in orders(2, is_plain_order):  # dated before the order
        add(order, -2, 25)
    for order in orders(3, lambda row: row["status"] == "cancelled" and not row["cancelled_at"]):
        add(order, 2, 100)
    for order in orders(2, lambda row: row["is_test"] in ("true", "1", "Y")):
        add(order, 1, 100)
    for order in orders(2, is_plain_order):  # three decimals: rounded half away from zero
        order["order_amount"] += "5"
        add(order, 4, 5)
        company.tables["refunds"][-1]["refund_amount"] = "1.005"


def tell_currencies(company: Company) -> None:
    """Orders in euro, for which there is no rate, one of them a test; a code in lower case."""
    rng = company.stream("currency stories")
    refunded = {row["order_id"] for row in company.tables["refunds"]}
    euros = company.take(
        rng, "orders", 6, lambda row: is_plain_order(row) and row["order_id"] not in refunded
    )
    for order in euros:
        order["currency_code"] = "EUR"
    euros[0]["is_test"] = "true"
    for order in company.take(rng, "orders", 5, lambda row: row["currency_code"] == "USD"):
        order["currency_code"] = "usd"


def tell_identities(company: Company) -> None:
    """Merged accounts of every shape, orders of customers nobody knows, padded ids."""
    rng = company.stream("identity stories")
    guests = company.take(rng, "orders", 2 * len(UNKNOWN_IDS), lambda row: not row["customer_id"])
    for number, order in enumerate(guests):
        order["customer_id"] = UNKNOWN_IDS[number % len(UNKNOWN_IDS)]
    for order in company.tables["orders"]:
        if order["customer_id"] == BLANK_PADDED_ID and rng.random() < 0.5:
            order["customer_id"] = f" {BLANK_PADDED_ID}"

    buyers = [c.customer_id for c in company.customers if c.orders and c.customer_id[0] == "C"]
    rng.shuffle(buyers)

    def merge(source: str, target: str, day: str) -> None:
        moment = at_business_hours(rng, date.fromisoformat(day))
        company.add("customer_merges", source, target, spell(moment))

    for _ in range(10):  # single
        merge(buyers.pop(), buyers.pop(), "2024-04-15")
    a, b, c, d = (buyers.pop() for _ in range(4))  # a chain of three
    merge(b, c, "2024-01-20")
    merge(a, b, "2024-06-03")
    merge(c, d, "2025-02-11")
    a, b = buyers.pop(), buyers.pop()  # a cycle of two
    merge(a, b, "2024-03-01")
    merge(b, a, "2024-09-01")
    a, b, c = (buyers.pop() for _ in range(3))  # a cycle of three
    merge(a, b, "2023-08-01")
    merge(b, c, "2023-05-01")
    merge(c, a, "2023-11-01")
    a, b, c = (buyers.pop() for _ in range(3))  # a second target
    merge(a, b, "2024-02-01")
    merge(a, c, "2024-07-01")
    a, b, c = (buyers.pop() for _ in range(3))  # two targets at the same moment
    merge(a, b, "2025-03-10")
    merge(a, c, "2025-03-10")
    company.tables["customer_merges"][-1]["merged_at"] = "2025-03-10"
    company.tables["customer_merges"][-2]["merged_at"] = "2025-03-10"
    merge(buyers[-1], buyers.pop(), "2024-05-05")  # into itself
    merge("OLD17", buyers.pop(), "2024-08-08")  # from an id known from orders only
    merge("OLD18", buyers.pop(), "2024-08-08")  # from an id known from nowhere
    merge(buyers.pop(), "NEW01", "2025-06-06")  # into an id known from nowhere
    again = company.tables["customer_merges"][0]  # the same pair, merged once more later
    merge(again["from_customer_id"], again["into_customer_id"], "2024-05-20")
    company.taken.update(id(row) for row in company.tables["customer_merges"][10:])

    for customer_id in buyers[:6] + ["GONE9"]:
        day = date(2025, 1, 10) + timedelta(rng.randint(0, 300))
        company.add("erasure_requests", customer_id, spell(at_business_hours(rng, day)))


def tell_conflicts(company: Company) -> None:
    """Several versions of one key: older, of the same time, without a time, or with no times."""
    rng = company.stream("conflict stories")
    tables = company.tables
    refunded = {row["order_id"] for row in tables["refunds"]}

    def orders(count: int) -> list[Row]:
        def where(row: Row) -> bool:
            return is_plain_order(row) and row["order_id"] not in refunded

        return company.take(rng, "orders", count, where)

    def version(table: str, row: Row, **changes: str) -> None:
        company.append(table, {**row, **changes})

    for row in orders(12):  # a version from before it was paid
        before = spell(company.moments[row["order_id"]] - timedelta(hours=1))
        version("orders", row, status="pending", updated_at=before)
    for row in orders(4):  # a correction that came later
        after = spell(company.moments[row["order_id"]] + timedelta(days=2))
        version("orders", row, order_amount="88.00", updated_at=after)
    for row in orders(4):  # the same time, another amount
        version("orders", row, order_amount="77.70")
    for row in orders(3):  # without a time: oldest
        version("orders", row, order_amount="66.60", updated_at="")
    for row in company.take(rng, "customers", 6, lambda row: row["updated_at"] > "2023-06"):
        version("customers", row, city="Old Town", updated_at="2022-01-01 00:00:00")
    for row in company.take(rng, "customers", 3):
        version("customers", row, city="Elsewhere")
    for row in company.take(rng, "order_items", 3):
        version("order_items", row, line_amount="5.55")
    for row in company.take(rng, "products", 1):
        version("products", row, category=" Clearance ")
    for row in company.take(rng, "refunds", 2):
        version("refunds", row, refund_amount="0.01")
    for row in company.take(rng, "exchange_rates", 2):
        version("exchange_rates", row, rate_to_reporting="7.2")
    for row in company.take(rng, "campaign_contacts", 2, lambda r: r["contact_group"][0] == "t"):
        version("campaign_contacts", row, contact_group="holdout")
