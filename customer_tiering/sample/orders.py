"""Orders with their lines, and what becomes of them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

from customer_tiering.sample.company import Company, Customer, Product, Row
from customer_tiering.sample.customers import COMPANY_CHANNELS, PERSON_CHANNELS
from customer_tiering.sample.days import DAYS, LAST_MOMENT, SEASON
from customer_tiering.sample.habits import purchase_days
from customer_tiering.sample.values import (
    at_business_hours,
    cents,
    draw,
    later,
    money,
    poisson,
    spell,
)

SHARE_OF_GUESTS = 0.05  # of all orders
CNY_TO_ONE_USD = 7.0  # list prices
FREIGHT = 1000  # cents, in order_amount but in no line
SHARE_WITH_FREIGHT, SHARE_WITHOUT_ITEMS, SHARE_OF_GIFTS, SHARE_OF_TESTS = 0.03, 0.07, 0.002, 0.0015
STORES = ["S01", "S02", "S03", "S04", "S05", "S06", "S07", "S08"]
DATE_ONLY_STORE = "S08"  # its till knows the date of an order, not the time

# What each system calls the four order statuses: completed, cancelled, returned, pending.
STATUS_WORDS = {
    "mini_program": ("已完成 已支付 已发货", "已取消", "已退货 已退款", "待付款 待发货"),
    "store": ("closed paid COMPLETED", "voided", "Returned", "open"),
    "marketplace": ("delivered shipped", "canceled unavailable", "refunded", "approved invoiced"),
    "other": ("completed complete fulfilled", "cancelled", "returned", "pending processing"),
}
SPELLINGS = {"app": "zulu", "mini_program": "shanghai", "marketplace": "fraction"}
STATUSES = ("completed", "cancelled", "returned", "pending")

# What becomes of an order: status and shares. See settle().
FATES = {
    "kept": 8640,
    "partial_refund": 420,
    "full_refund": 230,
    "several_refunds": 90,
    "late_refund": 120,
    "cancelled": 180,
    "cancelled_before": 40,
    "cancelled_after": 120,
    "cancelled_after_refund": 30,
    "returned_refunded": 70,
    "returned_partly": 20,
    "returned_dated": 25,
    "returned_undated": 15,
}

# Orders that must be there: moment and spelling. Last seconds of months, leap days, the last day.
EDGE_MOMENTS = [
    (datetime(2023, 11, 30, 23, 59, 59), "plain"),
    (datetime(2024, 2, 29, 0, 0, 0), "zulu"),
    (datetime(2024, 2, 29, 23, 59, 59), "plain"),
    (datetime(2024, 5, 31, 23, 59, 59), "zulu"),
    (datetime(2024, 10, 31, 23, 59, 59), "shanghai"),  # reads 2024-11-01T07:59:59+08:00
    (datetime(2024, 12, 31, 23, 59, 59), "plain"),
    (datetime(2025, 12, 15, 12, 0, 0), "plain"),
]


def choose_lines(
    rng: random.Random, customer: Customer | None, catalogue: list[Product]
) -> list[tuple[Product, int]]:
    """What goes into one order: products near the customer's taste, and quantities."""
    firm = customer is not None and customer.is_company
    offered = [p for p in catalogue if firm or p.product_type != "solution"]
    taste = customer.taste if customer else rng.betavariate(1.6, 3)
    lines = []
    for _ in range(1 + min(4, poisson(rng, 0.7))):
        places = [int(len(offered) * (taste + rng.gauss(0, 0.14))) for _ in range(2)]
        pair = [offered[min(max(place, 0), len(offered) - 1)] for place in places]
        liked = [p for p in pair if customer and p.category in customer.favourites]
        lines.append(((liked or pair)[0], 1 + int(rng.expovariate(0.6 if firm else 1.8))))
    return lines


def discount_percent(rng: random.Random, day: date) -> int:
    """Percent off the whole order; more at the peaks, all of it for a gift."""
    if rng.random() < SHARE_OF_GIFTS:
        return 100
    if SEASON[day] >= 2:
        return rng.choice([0, 10, 15, 20])
    return rng.choices([0, 5, 10], weights=[80, 12, 8])[0]


def make_orders(company: Company) -> None:
    """Orders with their lines, in order of time, and what became of them."""
    rng = company.stream("orders")
    purchases: list[tuple[datetime, str, Customer | None, str]] = []
    for customer in company.customers:
        for day in purchase_days(rng, customer):
            purchases.append((at_business_hours(rng, day), customer.customer_id, customer, ""))
    for _ in range(int(len(purchases) * SHARE_OF_GUESTS)):
        day = rng.choices(DAYS, weights=list(SEASON.values()))[0]
        purchases.append((at_business_hours(rng, day), "", None, ""))
    loyal = [customer for customer in company.customers if customer.habit == "steady"]
    for moment, spelling in EDGE_MOMENTS:
        customer = rng.choice([c for c in loyal if c.joined < moment.date()])
        purchases.append((moment, customer.customer_id, customer, spelling))
    purchases.sort(key=lambda purchase: purchase[:2])
    for number, (moment, _, buyer, spelling) in enumerate(purchases, 10001):
        row = make_order(company, rng, str(number), moment, buyer, spelling)
        fate = "kept" if spelling or row["order_amount"] == "0.00" else draw(rng, FATES)
        settle(company, rng, row, moment, fate)
        company.moments[str(number)] = moment
        if buyer:
            buyer.orders.append((moment, row))


def make_order(
    company: Company,
    rng: random.Random,
    key: str,
    moment: datetime,
    customer: Customer | None,
    spelling: str,
) -> Row:
    """One order as it is placed, with its lines. A given spelling marks an edge moment."""
    firm = customer is not None and customer.is_company
    channel = draw(rng, COMPANY_CHANNELS if firm else PERSON_CHANNELS)
    if customer and rng.random() < 0.7:
        channel = customer.channel
    store = rng.choice(STORES) if channel == "store" else ""
    if spelling:
        channel, store = "web", ""
    elif store == DATE_ONLY_STORE:
        spelling = "date"
    currency = customer.currency if customer else "CNY"
    percent_paid = 100 - discount_percent(rng, moment.date())
    gross = paid = 0
    lines = choose_lines(rng, customer, company.catalogue)
    has_items = rng.random() > SHARE_WITHOUT_ITEMS
    for line, (product, quantity) in enumerate(lines, 1):
        list_amount = product.price * quantity
        if currency == "USD":
            list_amount = round(list_amount / CNY_TO_ONE_USD)
        line_amount = list_amount * percent_paid // 100
        gross, paid = gross + list_amount, paid + line_amount
        if has_items:
            values = (key, str(line), product.product_id, str(quantity), money(line_amount))
            company.add("order_items", *values)
    freight = FREIGHT if paid and rng.random() < SHARE_WITH_FREIGHT else 0
    is_test = rng.random() < SHARE_OF_TESTS
    return company.add(
        "orders",
        key,
        customer.customer_id if customer else "",
        spell(moment, spelling or SPELLINGS.get(channel, "plain")),
        "",
        money(paid + freight),
        money(gross - paid) if gross > paid else "",
        "" if channel == "store" and currency == "CNY" else currency,
        channel,
        store,
        rng.choice(["true", "1", "Y"]) if is_test else "false" if channel == "app" else "",
        "",
        "",
        spell(moment),
    )


def status_word(rng: random.Random, row: Row, status: str) -> str:
    """The status in the words of the system that took the order."""
    words = STATUS_WORDS.get(row["channel"], STATUS_WORDS["other"])
    return rng.choice(words[STATUSES.index(status)].split())


def settle(company: Company, rng: random.Random, row: Row, moment: datetime, fate: str) -> None:
    """Give an order its status, and the refunds, cancellation or return that followed."""
    event = later(rng, moment, 0.2, 14)
    if fate == "late_refund":
        event = later(rng, moment, 90, 400)
    if event > LAST_MOMENT:  # has not happened yet
        fate = "pending" if rng.random() < 0.3 else "kept"
    kind = fate.split("_")[0]
    status = kind if kind in STATUSES else "completed"
    row["status"] = status_word(rng, row, status)
    amount = cents(row["order_amount"])

    def refund(when: datetime, part: int) -> None:
        if part > 0 and when <= LAST_MOMENT:
            key = company.number("refunds", "R")
            company.add("refunds", key, row["order_id"], spell(when), money(part))

    if fate in ("partial_refund", "late_refund"):
        refund(event, amount * rng.randint(10, 60) // 100)
    elif fate in ("full_refund", "returned_refunded"):
        refund(event, amount)
    elif fate == "several_refunds":
        refund(event, amount * 30 // 100)
        refund(later(rng, event, 0, 20), amount * 25 // 100)
        refund(later(rng, event, 20, 40), amount * rng.choice([10, 20]) // 100)
    elif fate == "cancelled_before":  # at or before the order's own moment: it never counted
        row["cancelled_at"] = spell(moment - timedelta(minutes=rng.choice([0, 0, 5])))
    elif fate in ("cancelled_after", "cancelled_after_refund"):
        row["cancelled_at"] = spell(event)
        if fate == "cancelled_after_refund":
            refund(later(rng, moment, 0.1, 0.2), amount * 20 // 100)
            refund(later(rng, event, 0.5, 3), amount - amount * 20 // 100)
    elif fate == "returned_partly":
        refund(event, amount // 2)
    if kind == "returned" and fate != "returned_undated":
        row["returned_at"] = spell(event)
    if kind not in ("kept", "pending"):
        row["updated_at"] = spell(event)
