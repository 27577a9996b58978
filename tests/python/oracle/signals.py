"""Signals: what interactions, tickets, surveys, referrals and order lines say at a period end."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from oracle.identity import Identity
from oracle.money import ZERO, Order
from oracle.reading import Row, Staging
from oracle.rfm import categories_of, first_category_date

NEW_CATEGORY_DAYS = 182
DEMANDING_TYPES = ("service", "solution")

# Tables of facts, and the column that says whose they are.
OWNER = {
    "interactions": "customer_id",
    "tickets": "customer_id",
    "survey_responses": "customer_id",
    "referrals": "referrer_customer_id",
}


# -- Facts -----------------------------------------------------------------------------------------


class Timeline:
    """Facts in the order of the business dates from which on they count."""

    def __init__(self, dated: Iterable[tuple[date, Any]]) -> None:
        ordered = sorted(dated, key=lambda fact: fact[0])
        self.days = [day for day, _ in ordered]
        self.facts = [fact for _, fact in ordered]

    def between(self, after: date, until: date) -> list[Any]:
        """The facts dated in (after, until]."""
        return self.facts[bisect_right(self.days, after) : bisect_right(self.days, until)]

    def count_until(self, day: date) -> int:
        """Number of facts dated up to a day."""
        return bisect_right(self.days, day)


class Basket(NamedTuple):
    """An order that enters, and its lines' amounts in the reporting currency, unrounded.

    ``typed`` is the amount of lines with a product type, ``demanding`` that of services and
    solutions among them.
    """

    order: Order
    typed: Decimal
    demanding: Decimal
    categories: set[str]


@dataclass(frozen=True)
class Facts:
    """One customer's facts: scores, and rows or baskets; closed complaints are in two lists."""

    interactions: Timeline
    nps_answers: Timeline
    csat_scores: Timeline
    complaints_opened: Timeline
    complaints_closed: Timeline
    referrals_converted: Timeline
    baskets: Timeline


def reject_strangers(staging: Staging, people: Identity) -> None:
    """Reject facts of unknown customers, contacts of unknown campaigns, and referrals of oneself."""
    known_campaigns = {row["campaign_id"] for row in staging.rows("campaigns")}
    staging.reject(
        "campaign_contacts",
        [r for r in staging.rows("campaign_contacts") if r["campaign_id"] not in known_campaigns],
        "unknown_campaign",
        "campaign_id",
    )
    others = ("erasure_requests", "customer_attributes", "campaign_contacts", "account_balances")
    for table, column in {**OWNER, **dict.fromkeys(others, "customer_id")}.items():
        strangers = [
            row
            for row in staging.rows(table)
            if people.resolve(row[column]) not in people.attributes
        ]
        staging.reject(table, strangers, "unknown_customer", column)
    selves = [
        row
        for row in staging.rows("referrals")
        if people.reviewed(row["referrer_customer_id"])
        == people.reviewed(row["referred_customer_id"])
    ]
    staging.reject("referrals", selves, "self_referral", "referred_customer_id")


def facts_of_customers(
    staging: Staging, people: Identity, orders_of: Mapping[str, Sequence[Order]]
) -> dict[str, Facts]:
    """Facts of every customer who has an order."""
    rows_of: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for table, column in OWNER.items():
        for row in staging.rows(table):
            rows_of[people.reviewed(row[column])][table].append(row)
    return {
        customer_id: _facts(rows_of[customer_id], orders_of[customer_id])
        for customer_id in orders_of
    }


def _facts(rows: Mapping[str, list[Row]], orders: Sequence[Order]) -> Facts:
    surveys = [(row["responded_at"].day, row) for row in rows["survey_responses"]]
    complaints = [row for row in rows["tickets"] if row["ticket_type"] == "complaint"]
    rated = [row for row in rows["tickets"] if row["satisfaction_score"] is not None]
    return Facts(
        interactions=Timeline((row["occurred_at"].day, row) for row in rows["interactions"]),
        nps_answers=Timeline((day, row) for day, row in surveys if row["survey_type"] == "nps"),
        csat_scores=Timeline(
            [(day, row["score"]) for day, row in surveys if row["survey_type"] == "csat"]
            + [
                (_ended_on(row, "opened_at", "closed_at"), row["satisfaction_score"])
                for row in rated
            ]
        ),
        complaints_opened=Timeline((row["opened_at"].day, row) for row in complaints),
        complaints_closed=Timeline(
            (_ended_on(row, "opened_at", "closed_at"), row)
            for row in complaints
            if row["closed_at"] is not None
        ),
        referrals_converted=Timeline(
            (_ended_on(row, "referred_at", "converted_at"), row)
            for row in rows["referrals"]
            if row["converted_at"] is not None
        ),
        baskets=Timeline((order.order_date, _basket(order)) for order in orders if order.enters),
    )


def _ended_on(row: Row, began: str, ended: str) -> date:
    """Day on which something ended, never before it began; the day it began if it never ended."""
    began_on = row[began].day
    return began_on if row[ended] is None else max(row[ended].day, began_on)


def _basket(order: Order) -> Basket:
    typed = [item for item in order.items if item.product_type is not None]
    demanding = [item for item in typed if item.product_type in DEMANDING_TYPES]
    amounts = (
        sum(((item.line_amount or ZERO) * order.rate for item in items), ZERO)
        for items in (typed, demanding)
    )
    return Basket(order, *amounts, categories_of(order))


def is_usage(interaction: Row) -> bool:
    """Whether an interaction is usage; any other, of unknown type too, is a contact."""
    return interaction["interaction_type"] == "usage"


# -- Since when inputs are known -------------------------------------------------------------------


def first_days(staging: Staging, orders: Iterable[Order]) -> dict[str, date]:
    """First period end at which an input can be known, for the inputs that depend on a source.

    date.max for one whose source has no fact; inputs known by the customer's own facts alone are
    not in it.
    """
    category_day = first_category_date(orders)
    return {
        "referrals": _first_day(staging.rows("referrals"), "referred_at"),
        "complaints": _first_day(staging.rows("tickets"), "opened_at"),
        "new_categories": date.max
        if category_day is None
        else category_day + timedelta(days=NEW_CATEGORY_DAYS),
    }


def _first_day(rows: Iterable[Row], column: str) -> date:
    return min((row[column].day for row in rows), default=date.max)


# -- Measures at a period end ----------------------------------------------------------------------


def measure(
    facts: Facts,
    known_from: Mapping[str, date],
    period_end: date,
    window_days: int,
    first_order_on: date | None,
) -> dict[str, int | Fraction]:
    """A customer's own measure behind every known input that is not of the ledger.

    Those of interactions are always there: whether they are known, all customers' tell.

    Counts; the score of an answer; csat: the mean score of csat_answers; usage_time: seconds; demand_breadth: a
    share from 0 to 1. ``first_order_on`` is the first valid order as known at the period end.
    """
    window = (period_end - timedelta(days=window_days), period_end)
    interactions = facts.interactions.between(*window)
    answer = newest_answer(facts.nps_answers.between(*window))
    scores = facts.csat_scores.between(*window)
    seconds = sum(row["duration_seconds"] or 0 for row in interactions if is_usage(row))
    contact_days = [row["occurred_at"].day for row in interactions if not is_usage(row)]
    measures = {
        "referrals": len(facts.referrals_converted.between(*window)),
        "nps": answer and answer["score"],
        "csat": Fraction(sum(scores), len(scores)) if scores else None,
        "csat_answers": len(scores),
        "complaints": len(facts.complaints_opened.between(*window))
        + facts.complaints_opened.count_until(period_end)
        - facts.complaints_closed.count_until(period_end),
        "active_days": len({row["occurred_at"].day for row in interactions}),
        "channels": len({row["channel"] for row in interactions} - {None}),
        "usage_time": seconds,
        "demand_breadth": _demand_breadth(facts.baskets.between(*window), period_end),
        "contact_regularity": len({(day.year, day.month) for day in contact_days}),
        "new_categories": _new_categories(facts.baskets, period_end, first_order_on),
    }
    return {
        name: own
        for name, own in measures.items()
        if own is not None and known_from.get(name, date.min) <= period_end
    }


def newest_answer(answers: Sequence[Row]) -> Row | None:
    """The newest of some survey answers, at one instant that with the largest id in byte order."""
    return max(
        answers,
        key=lambda row: (row["responded_at"].instant, row["response_id"].encode()),
        default=None,
    )


def _demand_breadth(baskets: Iterable[Basket], period_end: date) -> Fraction | None:
    """Share of services and solutions in what has a product type, cut to 0 and 1."""
    valid = [basket for basket in baskets if basket.order.is_valid_on(period_end)]
    typed = sum(basket.typed for basket in valid)
    if typed <= 0:
        return None
    share = Fraction(sum(basket.demanding for basket in valid)) / Fraction(typed)
    return min(max(share, Fraction(0)), Fraction(1))


def _new_categories(baskets: Timeline, period_end: date, first_order_on: date | None) -> int | None:
    """Categories of the last half year that the customer's older orders do not have."""
    start = period_end - timedelta(days=NEW_CATEGORY_DAYS)
    if first_order_on is None or first_order_on > start:
        return None
    before, since = (
        {
            category
            for basket in baskets.between(after, until)
            if basket.order.is_valid_on(period_end)
            for category in basket.categories
        }
        for after, until in ((date.min, start), (start, period_end))
    )
    return len(since - before)
