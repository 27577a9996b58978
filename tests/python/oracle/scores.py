"""Scores: inputs as numbers from 0 to 100, effective weights, components, management score."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from math import floor, isqrt

from oracle.rfm import ACTIVE, LAPSED, Measures
from oracle.rules import Rules

TENURE_FULL_DAYS = 1095
CATEGORIES_FULL = 5
SIX_DECIMALS = Decimal("0.000001")


# -- Normalised values -----------------------------------------------------------------------------


@cache
def rounded(numerator: int, denominator: int) -> Decimal:
    """A fraction from 0 up, rounded half up to 2 decimals."""
    hundredths = (200 * numerator + denominator) // (2 * denominator)
    return Decimal(hundredths).scaleb(-2)


@cache
def contribution(rank: int, customers: int) -> Decimal:
    """100 x (1 - sqrt(1 - p)), p = (rank - 1)/(customers - 1), rounded half up to 2 decimals.

    With s = sqrt(1 - p) the result in hundredths is the largest k with k <= 10000 (1 - s) + 1/2,
    that is 20001 - 2k >= 20000 s = sqrt(4 x 10^8 x (customers - rank)/(customers - 1)). With j that
    root rounded up, k is (20001 - j)/2 rounded down.
    """
    if customers == 1:
        return rounded(0, 1)
    squared = -(-400_000_000 * (customers - rank) // (customers - 1))
    j = isqrt(squared - 1) + 1 if squared else 0
    return Decimal((20001 - j) // 2).scaleb(-2)


def coverage(counts: Sequence[int]) -> int:
    """Per cent of counts above zero, whole, half up; 0 of none."""
    if not counts:
        return 0
    return floor(Fraction(100 * sum(own > 0 for own in counts), len(counts)) + Fraction(1, 2))


class Population:
    """What a period's active customers have, for the rank of each."""

    def __init__(self, everybody: Iterable[Measures]) -> None:
        active = [m for m in everybody if m.status == ACTIVE]
        self.revenues = sorted(m.monetary for m in active)
        self.balances = sorted(m.signals["balance"] for m in active if "balance" in m.signals)
        self.counts = {name: sorted(m.signals[name] for m in active) for name in INTERACTION_INPUTS}
        self.coverages = tuple(map(coverage, self.counts.values()))

    def contribution(self, monetary: Decimal) -> Decimal:
        """Contribution points of one of these customers (min rank among equals)."""
        return contribution(bisect_left(self.revenues, monetary) + 1, len(self.revenues))

    def balance_points(self, balance: Decimal) -> Decimal:
        """Points of the balance of one of these customers of whom one is known."""
        return contribution(bisect_left(self.balances, balance) + 1, len(self.balances))

    def rank_share(self, name: str, own: int) -> Decimal:
        """Per cent of these customers with a smaller count, and half of those with an equal one."""
        counts = self.counts[name]
        below, up_to_own = bisect_left(counts, own), bisect_right(counts, own)
        return points_of(Fraction(100 * (below + up_to_own), 2 * len(counts)))


def up_to(full: int) -> Callable[[int | Fraction], Decimal]:
    """Points of a measure from 0 up that has 100 from ``full`` on."""
    return lambda own: points_of(100 * min(Fraction(own) / full, Fraction(1)))


def points_of(exact: Fraction) -> Decimal:
    """Exact points from 0 up, rounded half up to 2 decimals."""
    return rounded(exact.numerator, exact.denominator)


# Inputs from interactions: counts, of which the rank among customers is worth points.
INTERACTION_INPUTS = ("active_days", "channels", "usage_time", "contact_regularity")

# Points (0-100) of the other inputs of signals, from the customer's own measure.
SIGNAL_POINTS: dict[str, Callable[[int | Fraction], Decimal]] = {
    "referrals": up_to(3),
    "nps": up_to(10),
    "csat": lambda mean: points_of(25 * (mean - 1)),
    "complaints": lambda count: rounded(100, 1 + count),
    "demand_breadth": up_to(1),
    "new_categories": up_to(2),
}


@cache
def signal_points(name: str, own: int | Fraction) -> Decimal:
    """Normalised value of an input of signals."""
    return SIGNAL_POINTS[name](own)


def normalise(
    measures: Measures, scores: Sequence[int], population: Population
) -> dict[str, Decimal]:
    """Known inputs of a customer who is no prospect, each 0-100 with 2 decimals."""
    f, tenure, trend = measures.frequency, measures.tenure_days, measures.revenue_trend
    values = {"tenure": rounded(100 * min(tenure, TENURE_FULL_DAYS), TENURE_FULL_DAYS)}
    if measures.categories is not None:
        values["categories"] = rounded(
            100 * min(measures.categories, CATEGORIES_FULL), CATEGORIES_FULL
        )
    values |= {
        name: signal_points(name, own)
        for name, own in measures.signals.items()
        if name in SIGNAL_POINTS
    }
    for name, covered in zip(INTERACTION_INPUTS, population.coverages, strict=True):
        if covered:
            own = measures.signals[name]
            is_silent = measures.status == LAPSED and own == 0
            values[name] = rounded(0, 1) if is_silent else population.rank_share(name, own)
    if trend is not None:
        values["revenue_trend"] = rounded(
            50 * (trend.denominator + trend.numerator), trend.denominator
        )
    if "balance" in measures.signals:
        is_lapsed, own = measures.status == LAPSED, measures.signals["balance"]
        values["balance"] = rounded(0, 1) if is_lapsed else population.balance_points(own)
    if measures.status == LAPSED:
        zeros = ("recency", "frequency", "monetary", "contribution", "repeat_rate")
        return values | dict.fromkeys(zeros, rounded(0, 1))
    for metric, points in zip(("recency", "frequency", "monetary"), scores, strict=True):
        values[metric] = rounded(25 * (points - 1), 1)
    values["contribution"] = population.contribution(measures.monetary)
    values["repeat_rate"] = rounded(100 * (f - 1), f)
    return values


# -- Weights ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Weights:
    """Weights over the known inputs; ``effective`` is level 1 x level 2, by input.

    Level 2 is there for every known component, level 1 only for those that count. ``coverage`` is
    the nominal weight that is known, by the part of the customers who are covered; that part of
    the inputs from interactions is ``of_interactions``, in per cent.
    """

    level_1: dict[str, Decimal]
    level_2: dict[str, dict[str, Decimal]]
    effective: dict[str, Decimal]
    coverage: Decimal
    of_interactions: dict[str, int]


def renormalise(weights: dict[str, Decimal]) -> dict[str, Decimal]:
    """Weights that sum to exactly 1, to 6 decimals; the remainder goes to the first heaviest.

    Weights of which none is above zero give nothing.
    """
    total = sum(weights.values())
    if not total:
        return {}
    shares = {
        name: (w / total).quantize(SIX_DECIMALS, ROUND_HALF_UP) for name, w in weights.items()
    }
    heaviest = max(weights, key=lambda name: weights[name])
    shares[heaviest] += 1 - sum(shares.values())
    return shares


def weights_of(known: frozenset[str], coverages: tuple[int, ...], rules: Rules) -> Weights:
    """Weights of the chosen profile over the known inputs; coverages are a Population's."""
    key = (known, coverages)
    if key not in rules.weight_cache:
        rules.weight_cache[key] = _weights_of(known, coverages, rules)
    return rules.weight_cache[key]


def _weights_of(known: frozenset[str], coverages: tuple[int, ...], rules: Rules) -> Weights:
    of_interactions = dict(zip(INTERACTION_INPUTS, coverages, strict=True))
    level_1: dict[str, Decimal] = {}
    level_2: dict[str, dict[str, Decimal]] = {}
    score_coverage = Decimal(0)
    for component in rules.components:
        covered = {
            name: Decimal(of_interactions.get(name, 100)) / 100
            for name, weight in component.inputs
            if name in known and weight
        }
        inputs = {
            name: weight * covered[name] for name, weight in component.inputs if name in covered
        }
        score_coverage += component.weight * sum(inputs.values())
        if inputs:
            level_2[component.component] = renormalise(inputs)
            level_1[component.component] = component.weight * max(covered.values())
    level_1 = renormalise(level_1)
    effective = {
        name: level_1.get(component, Decimal(0)) * share
        for component, shares in level_2.items()
        for name, share in shares.items()
    }
    return Weights(level_1, level_2, effective, score_coverage, of_interactions)


# -- Scores ----------------------------------------------------------------------------------------


def component_scores(values: dict[str, Decimal], weights: Weights) -> dict[str, Decimal]:
    """Score of every known component, 0-100, exact."""
    return {
        component: sum(share * values[name] for name, share in shares.items())
        for component, shares in weights.level_2.items()
    }


def management_score(values: dict[str, Decimal], weights: Weights) -> Decimal | None:
    """Exact sum of the points; None when no component that counts is known."""
    if not weights.level_1:
        return None
    return sum(weight * values[name] for name, weight in weights.effective.items())


def star_rating(score: Decimal | None, rules: Rules) -> int | None:
    """Most stars whose cut-off the score reaches."""
    if score is None:
        return None
    return max((stars for stars, cutoff in rules.star_ratings if score >= cutoff), default=None)


def input_values(measures: Measures) -> dict[str, object]:
    """The customer's own measure behind every input (None, or none at all: unknown).

    recency_days; orders for frequency and repeat_rate; revenue for monetary and contribution; days
    for tenure; an exact fraction for revenue_trend; a count for categories; see signals.measure.
    """
    return {
        "recency": measures.recency_days,
        "frequency": measures.frequency,
        "monetary": measures.monetary,
        "contribution": measures.monetary,
        "revenue_trend": measures.revenue_trend,
        "repeat_rate": measures.frequency,
        "tenure": measures.tenure_days,
        "categories": measures.categories,
        **measures.signals,
    }
