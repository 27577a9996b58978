"""Affinities, recommendations, their backtest and flows of the oracle, against hand calculation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from oracle import Result, Rules, compute
from oracle.markets import flows_of_customer

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
RUN_DATE = date(2030, 1, 1)
NAMES = {"t": "Green tea", "c": None, "b": "Atlas", "m": "Milk"}
CATEGORIES = {"t": "tea", "c": "coffee", "b": "books", "m": "milk"}


def bought(*orders: tuple[str, str, str], amount: str = "12", **project_vars: Any) -> Result:
    """What comes of orders given as customer, day and the letters of their products."""
    raw = {
        "products": [
            {"product_id": p, "product_name": NAMES[p], "category": CATEGORIES[p]} for p in NAMES
        ],
        "orders": [
            {"order_id": str(number), "customer_id": customer, "ordered_at": day}
            | {"status": "completed", "order_amount": amount}
            for number, (customer, day, _) in enumerate(orders)
        ],
        "order_items": [
            {"order_id": str(number), "line_number": str(place), "product_id": product}
            for number, (*_, products) in enumerate(orders)
            for place, product in enumerate(products, start=1)
        ],
    }
    return compute(raw, Rules.from_seeds(SEEDS, **project_vars), RUN_DATE)


def test_support_confidence_and_lift() -> None:
    """Of 8 baskets 4 have tea, 3 coffee and 2 both; a ninth has no lines, a tenth is too old."""
    found = bought(
        *(("a", "2025-01-02", "tc"), ("b", "2025-01-03", "tcc"), ("c", "2025-01-04", "t")),
        *(("d", "2025-01-05", "t"), ("e", "2025-01-06", "c"), ("f", "2025-01-07", "b")),
        *(("g", "2025-01-08", "b"), ("h", "2025-01-09", "x"), ("i", "2025-01-10", "")),
        ("a", "2024-01-11", "tc"),
        affinity_min_baskets=2,
    )
    pairs = {(row.affinity_kind, row.first_id): row for row in found.product_affinity}
    assert len(pairs) == 4
    tea = pairs["category", "tea"]
    assert (tea.baskets, tea.first_baskets, tea.second_baskets, tea.all_baskets) == (2, 4, 3, 8)
    assert (tea.support, tea.confidence, tea.customers) == (Fraction(1, 4), Fraction(1, 2), 2)
    assert tea.lift == Fraction("1.333333")  # 1/2 over 3/8
    assert pairs["product", "c"].confidence == Fraction("0.666667")


def test_the_next_category_is_that_of_the_next_order_day() -> None:
    """Two orders of one day are one; the last day of each customer has no next one."""
    found = bought(
        *(("a", "2025-01-02", "t"), ("a", "2025-01-02", "b"), ("a", "2025-01-09", "c")),
        *(("b", "2025-01-03", "t"), ("b", "2025-01-04", "t"), ("c", "2025-01-05", "c")),
        affinity_min_baskets=1,
    )
    steps = {
        (row.first_id, row.second_id): (row.baskets, row.first_baskets, row.second_baskets)
        for row in found.product_affinity
        if row.affinity_kind == "next_category"
    }
    assert steps == {
        ("tea", "coffee"): (1, 2, 1),
        ("books", "coffee"): (1, 1, 1),
        ("tea", "tea"): (1, 2, 1),
    }
    assert {row.all_baskets for row in found.product_affinity} == {2}


def test_what_goes_with_a_purchase_is_recommended() -> None:
    """Coffee goes with tea; c bought tea alone, and books, which recommend nothing."""
    found = bought(
        *(("a", "2025-01-02", "tc"), ("b", "2025-01-03", "tc"), ("c", "2025-01-04", "t")),
        *(("c", "2025-01-05", "b"), ("d", "2025-01-06", "b"), ("e", "2025-01-07", "b")),
        affinity_min_baskets=2,
    ).customer_recommendations
    assert [
        (row.customer_id, row.recommendation_rank, row.recommended_kind, row.because)
        for row in found
    ] == [
        ("c", 1, "category", "Bought tea; 67 % of orders with tea have coffee too."),
        ("c", 2, "product", "Bought Green tea; 67 % of orders with Green tea have c too."),
    ]


def test_a_backtest_knows_nothing_of_the_period_it_tests() -> None:
    """June tests what was known in May, when milk was most popular, and coffee went with tea.

    Of c and d, who had bought tea alone, c buys coffee and then milk, and d nothing.
    """
    may = [("a", "2025-05-02", "tcm"), ("b", "2025-05-03", "tcm"), ("c", "2025-05-04", "t")]
    may += [("d", "2025-05-05", "t")] + [("e", f"2025-05-{day}", "m") for day in range(10, 20)]
    june = [("c", "2025-06-03", "c"), ("c", "2025-06-04", "m"), ("e", "2025-07-01", "m")]
    found = bought(*may, *june, affinity_min_baskets=2).recommendation_backtest
    assert {(row.recommended_kind, row.predictor): (row.customers, row.hits) for row in found} == {
        (kind, predictor): (1, 1)
        for kind in ("all", "category", "product")
        for predictor in ("recommendations", "most_popular")
    }
    assert {(row.as_of_date, row.tested_until) for row in found} == {
        (date(2025, 5, 31), date(2025, 6, 30))
    }


def test_falls_are_matched_to_rises_in_proportion() -> None:
    before, after = {"tea": 3700, "books": 1000}, {"tea": 700, "games": 2000}
    assert flows_of_customer(before, after) == {
        ("tea", "tea"): (700, True),
        ("tea", "games"): (1500, True),
        ("books", "games"): (500, True),
        ("tea", "none"): (1500, True),
        ("books", "none"): (500, True),
    }
    # nine, six and four fifths of a cent are 1, 1 and 0
    assert flows_of_customer({"milk": 3, "eggs": 2}, {"wine": 3, "oil": 2}) == {
        ("milk", "wine"): (1, True),
        ("milk", "oil"): (1, True),
        ("eggs", "wine"): (1, True),
        ("milk", "none"): (1, False),
        ("eggs", "none"): (1, False),
        ("none", "wine"): (1, False),
        ("none", "oil"): (1, False),
    }


def test_flows_follow_each_customer() -> None:
    """A moves from tea to coffee; b, new in February, and c, who leaves, have nothing to do with each other."""
    found = bought(
        *(("a", "2025-01-02", "t"), ("a", "2025-02-02", "c"), ("b", "2025-02-03", "b")),
        *(("c", "2025-01-03", "m"), ("a", "2025-02-28", "")),
        amount="12.30",
    ).category_flows
    assert {
        (row.from_category, row.to_category): (row.customers, row.revenue) for row in found
    } == {
        ("tea", "coffee"): (1, Decimal("6.15")),
        ("tea", "unknown"): (1, Decimal("6.15")),
        ("none", "coffee"): (1, Decimal("6.15")),
        ("none", "unknown"): (1, Decimal("6.15")),
        ("none", "books"): (1, Decimal("12.30")),
        ("milk", "none"): (1, Decimal("12.30")),
    }
