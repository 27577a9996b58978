"""Concentration, costs of campaigns, retention and budgets of the oracle, against hand calculation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute
from oracle.economics import TierEconomics, budget_shares, gini
from oracle.rules import ladders_from
from test_oracle_markets import RUN_DATE, Row, order

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
# Entered and kept by revenue alone: silver from 100 in the window, gold from 300.
LADDER = ladders_from(
    [
        {
            "version_valid_from": "2000-01-01",
            "tier_code": code,
            "tier_rank": rank,
            "enter_score": "0",
            "keep_score": "0",
            "enter_min_orders": "1",
            "keep_min_orders": "1",
            "enter_min_revenue": revenue,
            "keep_min_revenue": revenue,
        }
        for code, rank, revenue in (
            ("bronze", "1", ""),
            ("silver", "2", "100"),
            ("gold", "3", "300"),
        )
    ]
)


def rules(**project_vars: Any) -> Rules:
    return replace(Rules.from_seeds(SEEDS, **project_vars), ladders=LADDER)


def economics(raw: dict[str, list[Row]], **project_vars: Any) -> dict[str, TierEconomics]:
    found = compute(raw, rules(**project_vars), RUN_DATE)
    return {row.tier_code: row for row in found.tier_economics}


def concentration(result: Result) -> dict[str, tuple[Any, ...]]:
    return {
        row.dimension_value: (row.top_1_share, row.top_5_share, row.top_20_share, row.gini)
        for row in result.revenue_concentration
    }


# -- Concentration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        # all alike, one who has everything, and 1 to 4: (-3 x 1 - 1 x 2 + 1 x 3 + 3 x 4) / (4 x 10)
        ([5, 5, 5], Fraction(0)),
        ([0, 0, 0, 9], Fraction(3, 4)),
        ([4, 2, 3, 1], Fraction(1, 4)),
        ([7], Fraction(0)),
        ([0, 0], None),
    ],
)
def test_gini(amounts: list[int], expected: Fraction | None) -> None:
    assert gini([Decimal(amount) for amount in amounts]) == expected


def test_the_first_customers_are_rounded_up() -> None:
    """Of eleven customers 20 % are three, 5 and 1 % one each: 300, 100 and nine times 10."""
    orders = [order("big", "2024-01-10", "300", "a"), order("middle", "2024-01-10", "100", "b")]
    orders += [order(f"o{n}", "2024-01-10", "10", f"c{n}") for n in range(9)]
    found = concentration(compute({"orders": orders}, rules(), RUN_DATE))
    # ascending ranks 1 to 9 have 10 each: the sum of 2i - 12 over them is -18
    weighted = Fraction(10 * -18 + 8 * 100 + 10 * 300, 11 * 490)
    assert found["all"] == (Fraction(300, 490), Fraction(300, 490), Fraction(410, 490), weighted)
    assert found["bronze"] == (Fraction(1, 9), Fraction(1, 9), Fraction(2, 9), 0)
    assert found["gold"] == (1, 1, 1, 0)
    assert "none" not in found


# -- Costs of campaigns ----------------------------------------------------------------------------


def campaign(campaign_id: str, starts_on: str, cost: str | None) -> Row:
    return {"campaign_id": campaign_id, "starts_on": starts_on, "cost_amount": cost}


def contact(campaign_id: str, customer: str, day: str, group: str | None = "treatment") -> Row:
    row = {"campaign_id": campaign_id, "customer_id": customer, "contacted_at": day}
    return row | {"contact_group": group}


PEOPLE = [{"customer_id": name} for name in ("a", "b", "c", "a2", "visitor")]
ORDERS = [
    order("1", "2024-01-10", "400", "a"),
    order("2", "2024-01-10", "50", "b"),
    order("3", "2024-01-20", "60", "c"),
]


def test_costs_are_shared_by_contacted_customers_and_nothing_is_lost() -> None:
    """100.00 for gold's a, known by two ids, and two of bronze: 33.33 and 66.67. Who never ordered is of none."""
    raw = {
        "customers": PEOPLE,
        "customer_merges": [
            {"from_customer_id": "a2", "into_customer_id": "a", "merged_at": "2024-01-02"}
        ],
        "orders": ORDERS,
        "campaigns": [
            campaign("k1", "2024-01-15", "100"),
            campaign("k2", "2024-01-15", "0.05"),
            campaign("nobody", "2024-01-20", "40"),
            campaign("too_old", "2023-01-20", "70"),
            campaign("ahead", "2024-01-21", "80"),
            campaign("unknown", "2024-01-15", None),
        ],
        "campaign_contacts": [
            *(contact("k1", name, "2024-01-16") for name in ("a", "a2", "b", "c")),
            contact("k1", "visitor", "2024-01-16", "holdout"),
            *(contact("k2", name, "2024-01-16") for name in ("b", "visitor")),
            contact("nobody", "a", "2024-01-20", None),
            contact("nobody", "b", "2024-01-21"),
            contact("too_old", "a", "2024-01-16"),
        ],
    }
    result = compute(raw, rules(), RUN_DATE)
    costs = {row.tier_code: row.campaign_cost for row in result.tier_economics}
    # of 5 cents half is 2.5, which is 3 for the higher tier
    assert costs == {
        "none": Decimal("0.02"),
        "bronze": Decimal("66.70"),
        "silver": 0,
        "gold": Decimal("33.33"),
    }
    assert result.campaign_costs.unplaced == [Decimal(40)]


# -- What a tier could bring, asks for and keeps ----------------------------------------------------


def test_growth_and_service_count_at_the_tier_of_today() -> None:
    """b and c lack 50 and 40 of silver's 100. The window ends on 20 January and begins 365 days before."""
    ticket = {"ticket_type": "question"}
    raw = {
        "customers": PEOPLE,
        "orders": ORDERS,
        "tickets": [
            ticket | {"ticket_id": "1", "customer_id": "a", "opened_at": "2023-01-20"},
            ticket | {"ticket_id": "2", "customer_id": "a", "opened_at": "2023-01-21"},
            ticket | {"ticket_id": "3", "customer_id": "visitor", "opened_at": "2024-01-20"},
            ticket | {"ticket_id": "4", "customer_id": "a", "opened_at": "2024-01-21"},
        ],
        "interactions": [
            {"interaction_id": str(n), "customer_id": name, "occurred_at": "2024-01-05"}
            | {"interaction_type": kind}
            for n, (name, kind) in enumerate([("b", "call"), ("b", "call"), ("b", "message")])
        ],
    }
    found = economics(raw)
    assert {code: row.growth_potential for code, row in found.items()} == {
        "none": 0,
        "bronze": 90,
        "silver": 0,
        "gold": 0,
    }
    contacts = {code: (row.service_contacts, row.served_customers) for code, row in found.items()}
    assert contacts == {"none": (1, 1), "bronze": (2, 1), "silver": (0, 0), "gold": (1, 1)}
    assert found["bronze"].service_contacts_per_customer == 1
    assert found["none"].service_contacts_per_customer is None


def test_retention_is_of_a_year_before_the_newest_closed_review() -> None:
    """As of 10 February 2025 that is 31 January 2024: of bronze, b orders again and c does not; d came later."""
    raw = {
        "orders": [
            *ORDERS,
            order("4", "2025-02-10", "50", "b"),
            order("5", "2024-02-15", "50", "d"),
        ]
    }
    found = economics(raw)
    retained = {code: row.retention_rate for code, row in found.items()}
    assert retained == {"none": None, "bronze": Fraction(1, 2), "silver": None, "gold": 0}
    assert {row.retention_rate for row in economics({"orders": ORDERS}).values()} == {None}


# -- Budgets ---------------------------------------------------------------------------------------

DRIVERS = ("window_revenue", "revenue_at_risk", "growth_potential", "service_contacts")
NOTHING: dict[str, dict[str, int]] = {driver: {} for driver in DRIVERS}


def test_a_driver_that_nobody_has_leaves_its_weight_to_the_others() -> None:
    """Revenue counts .4 of .6 and contacts .2: silver has 2/3 x .75, gold 2/3 x .25 + 1/3."""
    drivers = NOTHING | {
        "window_revenue": {"silver": 75, "gold": 25, "none": 1000, "bronze": -5},
        "service_contacts": {"gold": 8, "none": 9},
    }
    assert budget_shares(drivers, rules()) == {
        "none": 0,
        "bronze": 0,
        "silver": Decimal("0.5"),
        "gold": Decimal("0.5"),
    }
    assert budget_shares(NOTHING, rules()) == {}


def test_budget_shares_add_up_to_one() -> None:
    thirds = NOTHING | {"window_revenue": dict.fromkeys(("bronze", "silver", "gold"), 1)}
    found = budget_shares(thirds, rules())
    assert found["gold"] == Decimal("0.333334")
    assert sum(found.values()) == 1
