"""Habits by period, category shares, market trends and segment profiles of the oracle, against hand calculation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute
from oracle.markets import by_category
from oracle.money import Item, Order
from oracle.reading import Setting, read_stamp

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
RUN_DATE = date(2030, 1, 1)

Row = dict[str, str | None]


def rules(**project_vars: Any) -> Rules:
    return Rules.from_seeds(SEEDS, **project_vars)


def order(order_id: str, day: str, amount: str, customer: str = "a", **more: str) -> Row:
    row = {"order_id": order_id, "customer_id": customer, "ordered_at": day, "status": "completed"}
    return row | {"order_amount": amount} | more


def line(order_id: str, number: int, product: str | None, amount: str | None) -> Row:
    row = {"order_id": order_id, "line_number": str(number), "product_id": product}
    return row | {"line_amount": amount}


def refund(order_id: str, day: str, amount: str) -> Row:
    return {
        "refund_id": f"{order_id} {day}",
        "order_id": order_id,
        "refunded_at": day,
        "refund_amount": amount,
    }


PRODUCTS = [
    {"product_id": "t", "category": "tea", "product_type": "product"},
    {"product_id": "b", "category": "books", "product_type": "service"},
    {"product_id": "x", "category": None, "product_type": None},
]


# -- Sharing an order ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revenue", "lines", "expected"),
    [
        # 10.00 in three equal parts is 3.33 each, and a cent is left for the first line
        (
            "10.00",
            [("tea", "20"), ("books", "20"), ("toys", "20")],
            "tea 3.34 books 3.33 toys 3.33",
        ),
        # 0.02 in three is 0.67 cents each, rounded to 1: one too many, taken from the first
        ("0.02", [("tea", "5"), ("books", "5"), ("toys", "5")], "tea 0.00 books 0.01 toys 0.01"),
        # 1.00 by 1 : 2 is 33.3 and 66.7 cents
        ("1.00", [("tea", "1"), ("books", "2")], "books 0.67 tea 0.33"),
        # 0.05 by 1 : 1 : 2 is 1.25, 1.25 and 2.5 cents, rounded to 1, 1 and 3
        ("0.05", [("tea", "1"), ("tea", "1"), ("books", "2")], "books 0.03 tea 0.02"),
        # 0.03 by 1 : 1 is 1.5 cents each, rounded to 2: one too many, taken from the first
        ("0.03", [("tea", "1"), ("books", "1")], "tea 0.01 books 0.02"),
        # a credit has no part
        ("9.00", [("tea", "10"), ("books", "-1")], "tea 9.00 books 0.00"),
        # nothing above zero: equal parts, and the first by amount and number takes the odd cent
        ("0.03", [("tea", None), ("books", "-1")], "tea 0.01 books 0.02"),
        ("1.00", [("tea", "0"), (None, "0"), ("books", "0")], "tea 0.34 unknown 0.33 books 0.33"),
        ("7.00", [], "unknown 7.00"),
        ("0.00", [("tea", "10")], "tea 0.00"),
    ],
)
def test_an_order_is_shared_to_the_cent(
    revenue: str, lines: list[tuple[str | None, str | None]], expected: str
) -> None:
    items = [
        Item(number, None, None if amount is None else Decimal(amount), category, None)
        for number, (category, amount) in enumerate(lines, start=1)
    ]
    stamp = read_stamp("2024-01-01", Setting(rules(), RUN_DATE))
    sold = Order(
        order_id="o",
        customer_id="a",
        member_id="a",
        ordered_at=stamp,
        status="completed",
        channel=None,
        order_amount=Decimal(100),
        rate=Decimal(1),
        is_test=False,
        cancelled_at=None,
        returned_at=None,
        items=items,
    )
    shared = by_category(sold, Decimal(revenue))
    words = expected.split()
    assert shared == dict(zip(words[::2], map(Decimal, words[1::2]), strict=True))
    assert sum(shared.values()) == Decimal(revenue)


# -- Habits by period ------------------------------------------------------------------------------


def habits_of(result: Result, customer_id: str = "a") -> dict[str, tuple]:
    return {
        period_end.isoformat()[:7]: (
            row.favourite_channel,
            row.channel_mix,
            row.favourite_category,
            row.demand_type,
        )
        for (customer, period_end), row in result.customer_periods.items()
        if customer == customer_id
    }


def test_habits_are_what_was_known_at_the_end_of_each_period() -> None:
    """The store leads in March with 150 to 100, until 60 of it go back in April; May's order is undone in June."""
    raw = {
        "orders": [
            order("1", "2024-01-10", "100", channel="app"),
            order("2", "2024-03-10", "150", channel="Store"),
            order(
                "3",
                "2024-05-10",
                "900",
                channel="fax",
                status="cancelled",
                cancelled_at="2024-06-05",
            ),
            order("9", "2024-06-30", "1", customer="b"),
        ],
        "refunds": [refund("2", "2024-04-20", "60")],
        "products": PRODUCTS,
        "order_items": [
            line("1", 1, "t", "100"),
            line("2", 1, "b", "150"),
            line("3", 1, "x", "900"),
        ],
    }
    # a refund names no line: books stay ahead
    assert habits_of(compute(raw, rules(), RUN_DATE)) == {
        "2024-01": ("app", "online", "tea", "product"),
        "2024-02": ("app", "online", "tea", "product"),
        "2024-03": ("Store", "omnichannel", "books", "service"),
        "2024-04": ("app", "omnichannel", "books", "service"),
        "2024-05": ("fax", "omnichannel", "books", "service"),
        "2024-06": ("app", "omnichannel", "books", "service"),
    }


def test_who_has_no_order_left_has_no_habits() -> None:
    raw = {
        "orders": [
            order("1", "2024-01-10", "100", channel="app"),
            order("9", "2024-02-29", "1", customer="b"),
        ],
        "refunds": [refund("1", "2024-02-20", "100")],
        "products": PRODUCTS,
        "order_items": [line("1", 1, "t", "100")],
    }
    assert habits_of(compute(raw, rules(), RUN_DATE)) == {
        "2024-01": ("app", "online", "tea", "product"),
        "2024-02": (None, None, None, None),
    }


# -- Categories ------------------------------------------------------------------------------------


def test_category_shares_add_up_to_one() -> None:
    """10 of tea in two lines of one order and 10 of books in dollars; what is undone does not count."""
    raw = {
        "orders": [
            order("1", "2024-01-10", "10"),
            order("2", "2024-03-10", "2", currency_code="USD"),
            order("3", "2024-03-11", "5"),
        ],
        "exchange_rates": [
            {"rate_date": "2024-01-01", "currency_code": "USD", "rate_to_reporting": "5"}
        ],
        "refunds": [refund("3", "2024-03-20", "5")],
        "products": [*PRODUCTS, {"product_id": "g", "category": "garden"}],
        "order_items": [
            *(line("1", 1, "t", "4"), line("1", 2, "t", "6"), line("1", 3, "g", "10")),
            *(line("2", 1, "b", "2"), line("2", 2, "x", "9"), line("3", 1, "g", "5")),
        ],
    }
    found = compute(raw, rules(), RUN_DATE).customer_categories
    assert [(row.category, row.category_rank, row.orders, row.revenue) for row in found] == [
        ("books", 1, 1, Decimal(10)),
        ("garden", 2, 1, Decimal(10)),
        ("tea", 3, 1, Decimal(10)),
    ]
    shares = ["0.333334", "0.333333", "0.333333"]
    assert [row.revenue_share for row in found] == [Decimal(share) for share in shares]


# -- Market trends ---------------------------------------------------------------------------------


def test_trends_of_a_region_beside_a_year_before() -> None:
    """A, of the north, buys for 100 in January 2024 and, less 10 given back in time, for 40 in January 2025."""
    raw = {
        "customers": [{"customer_id": "a", "region": "North"}],
        "orders": [
            order("1", "2024-01-10", "100", channel="app"),
            order("2", "2025-01-10", "50"),
            order("3", "2025-01-20", "7", customer="b"),
            order("4", "2025-02-10", "1", customer="b"),
        ],
        "refunds": [refund("2", "2025-01-31", "10"), refund("3", "2025-02-01", "7")],
    }
    found = {
        (row.dimension, row.dimension_value, row.period_end): row
        for row in compute(raw, rules(), RUN_DATE).market_trends
    }
    assert {(dimension, value) for dimension, value, _ in found} == {
        *(("all", "all"), ("region", "North"), ("region", "unknown")),
        *(
            ("industry", "unknown"),
            ("channel", "app"),
            ("channel", "unknown"),
            ("category", "unknown"),
        ),
    }
    january = found["all", "all", date(2025, 1, 31)]
    assert (january.customers, january.new_customers, january.orders) == (2, 1, 2)
    assert (january.revenue, january.revenue_year_before) == (Decimal(47), Decimal(100))
    assert (january.new_share, january.average_order_value) == (Fraction(1, 2), Fraction(47, 2))
    north = found["region", "North", date(2025, 1, 31)]
    assert (north.revenue, north.revenue_year_before, north.new_customers) == (40, 100, 0)
    # in February b is new again: of January's order nothing is left
    elsewhere = found["region", "unknown", date(2025, 2, 10)]
    assert (elsewhere.customers, elsewhere.new_customers, elsewhere.revenue) == (1, 1, 1)
    assert elsewhere.revenue_year_before is None  # the period is open
    silent = found["channel", "app", date(2024, 6, 30)]
    assert (silent.customers, silent.orders, silent.revenue, silent.new_share) == (0, 0, 0, None)
    assert found["channel", "unknown", date(2025, 1, 31)].revenue_year_before == 0
    assert found["channel", "app", date(2024, 12, 31)].revenue_year_before is None


def test_a_year_before_a_week_are_52_weeks() -> None:
    orders = [
        order("1", "2023-12-28", "5"),
        order("2", "2024-12-26", "7"),
        order("3", "2025-01-01", "1"),
    ]
    trends = compute({"orders": orders}, rules(review_period="week"), RUN_DATE).market_trends
    revenue = {
        row.period_end: (row.revenue, row.revenue_year_before)
        for row in trends
        if row.dimension == "all"
    }
    assert revenue[date(2024, 12, 29)] == (7, 5)


# -- Segment profiles ------------------------------------------------------------------------------


def test_an_index_compares_a_segment_with_all_customers() -> None:
    """Of four customers two are women, of whom one has ordered; the other three are prospects."""
    raw = {
        "customers": [
            {"customer_id": name, "gender": gender, "birth_date": "2000-03-02"}
            for name, gender in [("a", "female"), ("b", "female"), ("c", "male"), ("d", None)]
        ],
        "orders": [order("1", "2025-03-01", "80")],
    }
    found = {
        (row.segment_kind, row.segment_code, row.dimension, row.dimension_value): row
        for row in compute(raw, rules(min_group_size=2), RUN_DATE).segment_profiles
    }
    women = found["lifecycle_stage", "prospect", "gender", "female"]
    assert (women.customers, women.window_revenue) == (1, 0)
    assert women.customer_share == Fraction(1, 3)
    assert women.index_to_average == Fraction(200, 3)  # a third of the prospects, half of all
    assert women.is_small_group
    new = found["lifecycle_stage", "new", "gender", "female"]
    assert (new.customers, new.window_revenue, new.index_to_average) == (1, 80, 200)
    # born on 2 March 2000: 24 on the day of the only order, 1 March 2025
    assert found["tier", "none", "age_band", "18_24"].customers == 3
    unknown = found["tier", "none", "gender", "unknown"]
    assert (unknown.customers, found["tier", "none", "city", "unknown"].customers) == (1, 3)
    assert not found["tier", "none", "city", "unknown"].is_small_group
