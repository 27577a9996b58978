"""Groups of companies: what the members of each are together, at the edges of the customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from oracle import rfm, scores
from oracle.identity import Identity
from oracle.marts import Customer
from oracle.money import ZERO, LedgerRow
from oracle.periods import Period
from oracle.rules import Rules
from oracle.tiers import CustomerPeriod


@dataclass(frozen=True)
class AccountRollup:
    """account_rollups; there is a tier only where the group is the customer."""

    root_customer_id: str
    tier_code: str | None
    members: int
    members_with_orders: int
    recency_days: int | None
    frequency: int
    monetary: Decimal
    lifetime_orders: int
    lifetime_revenue: Decimal
    r_score: int | None
    f_score: int | None
    m_score: int | None
    management_score: Decimal | None
    score_coverage: Decimal | None
    first_order_on: date | None
    last_order_on: date | None
    as_of_date: date

    @property
    def window_revenue(self) -> Decimal:
        """The same as monetary."""
        return self.monetary


def account_rollups(
    people: Identity,
    customers: Mapping[str, Customer],
    ledger_of: Mapping[str, Sequence[LedgerRow]],
    period: Period | None,
    rows: Mapping[str, CustomerPeriod],
    edges: dict[tuple[date, str], rfm.Edges],
    rules: Rules,
) -> list[AccountRollup]:
    """The groups of two members and more at the last period, of which ``rows`` are."""
    if period is None:
        return []
    members_of: dict[str, list[Customer]] = defaultdict(list)
    for customer in customers.values():
        members_of[people.root(customer.customer_id)].append(customer)
    population = scores.Population(row.measures for row in rows.values())
    found = []
    for root, members in members_of.items():
        if len(members) < 2:
            continue
        # as if the members had always been one
        ledger = [row for member in members for row in ledger_of.get(member.customer_id, [])]
        measures = rfm.measure(ledger, period, rules)
        is_prospect = measures is None or measures.status == rfm.PROSPECT
        points = None if is_prospect else rfm.score(measures, edges, period.period_end)
        row = rows.get(root) if people.is_by_group else None
        if is_prospect or people.is_by_group:
            score = row and row.management_score
            coverage = row and row.score_coverage
        else:
            values = order_values(measures, points, population)
            weights = scores.weights_of(frozenset(values), population.coverages, rules)
            score, coverage = scores.management_score(values, weights), weights.coverage
        found.append(
            AccountRollup(
                root_customer_id=root,
                tier_code=customers[root].tier_code if people.is_by_group else None,
                members=len(members),
                members_with_orders=sum(member.lifetime_orders > 0 for member in members),
                recency_days=measures and measures.recency_days,
                frequency=measures.frequency if measures else 0,
                monetary=measures.monetary if measures else ZERO,
                lifetime_orders=sum(member.lifetime_orders for member in members),
                lifetime_revenue=sum((member.lifetime_revenue for member in members), ZERO),
                **dict(zip(("r_score", "f_score", "m_score"), points or (None,) * 3, strict=True)),
                management_score=score,
                score_coverage=coverage,
                first_order_on=measures and measures.first_order_on,
                last_order_on=measures and measures.last_order_on,
                as_of_date=period.period_end,
            )
        )
    return found


def order_values(
    measures: rfm.Measures, points: Sequence[int], population: scores.Population
) -> dict[str, Any]:
    """The inputs that are known of a group: those that follow from its orders."""
    tenure = min(measures.tenure_days, scores.TENURE_FULL_DAYS)
    values = {"tenure": scores.rounded(100 * tenure, scores.TENURE_FULL_DAYS)}
    if measures.status == rfm.LAPSED:
        zeros = ("recency", "frequency", "monetary", "contribution", "repeat_rate")
        return values | dict.fromkeys(zeros, scores.rounded(0, 1))
    for metric, point in zip(rfm.METRICS, points, strict=True):
        values[metric] = scores.rounded(25 * (point - 1), 1)
    # the place of the customer with as much or, without one, of the next above; 100 above all
    above = [revenue for revenue in population.revenues if revenue >= measures.monetary]
    values["contribution"] = (
        population.contribution(min(above)) if above else scores.rounded(100, 1)
    )
    values["repeat_rate"] = scores.rounded(100 * (measures.frequency - 1), measures.frequency)
    trend = measures.revenue_trend
    if trend is not None:
        values["revenue_trend"] = scores.rounded(
            50 * (trend.denominator + trend.numerator), trend.denominator
        )
    return values
