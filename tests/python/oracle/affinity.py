"""Affinity: what is bought together and next, what it recommends to whom, and whether that came true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor

from oracle.money import Order
from oracle.periods import Period, following, previous_period_end
from oracle.products import Product
from oracle.rules import Rules

CATEGORY, PRODUCT, NEXT_CATEGORY, ALL = "category", "product", "next_category", "all"
FIRSTS = 5  # of each customer and kind
SECONDS = 50  # of each first
RECOMMENDED = 3


@dataclass(frozen=True)
class Affinity:
    """product_affinity; support, confidence and lift are rounded half up to 6 decimals."""

    affinity_kind: str
    first_id: str
    second_id: str
    baskets: int
    first_baskets: int
    second_baskets: int
    all_baskets: int
    customers: int

    @property
    def support(self) -> Fraction:
        """Share of the baskets with both."""
        return rounded(Fraction(self.baskets, self.all_baskets))

    @property
    def confidence(self) -> Fraction:
        """Of the baskets with the first, the share of those with the second too."""
        return rounded(Fraction(self.baskets, self.first_baskets))

    @property
    def lift(self) -> Fraction:
        """How many times as often the second is in a basket with the first as in any."""
        return rounded(
            Fraction(self.baskets * self.all_baskets, self.first_baskets * self.second_baskets)
        )


def rounded(share: Fraction) -> Fraction:
    """A share to 6 decimals, half up."""
    return Fraction(floor(share * 1_000_000 + Fraction(1, 2)), 1_000_000)


@dataclass(frozen=True)
class Recommendation:
    """customer_recommendations."""

    customer_id: str
    recommendation_rank: int
    recommended_kind: str
    recommended_id: str
    recommended_name: str
    because_id: str
    because: str
    confidence: Fraction
    lift: Fraction
    as_of_date: date


@dataclass(frozen=True)
class Backtest:
    """recommendation_backtest: recommendations of a day beside what was bought next."""

    as_of_date: date
    tested_until: date
    recommended_kind: str
    predictor: str
    customers: int
    hits: int


class Purchases:
    """What customers bought in the window that ends on a day, as known then."""

    def __init__(self, orders_of: Mapping[str, Sequence[Order]], day: date, rules: Rules) -> None:
        begin = day - timedelta(days=rules.rfm_window_days)
        self.baskets = [
            (customer_id, order)
            for customer_id, orders in orders_of.items()
            for order in orders
            if order.items and order.is_valid_on(day) and order.order_date > begin
        ]
        in_baskets = Counter(
            product for _, order in self.baskets for product in _things(order, PRODUCT)
        )
        most = sorted(in_baskets, key=lambda product: (-in_baskets[product], product))
        self.products = set(most[: rules.affinity_max_products])
        self.bought: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for customer_id, order in self.baskets:
            for kind in (CATEGORY, PRODUCT):
                self.bought[customer_id, kind].update(self.things(order, kind))

    def things(self, order: Order, kind: str) -> set[str]:
        """The categories of an order, or its products as far as they are among those in most baskets."""
        found = _things(order, kind)
        return found if kind == CATEGORY else found & self.products

    def popular(self, kind: str) -> list[tuple[str, str]]:
        """What most baskets have, first; kind ``all`` is both."""
        baskets: Counter[tuple[str, str]] = Counter()
        for (_, of_kind), things in self.bought.items():
            if kind in (ALL, of_kind):
                for thing, number in things.items():
                    baskets[of_kind, thing] += number
        return sorted(baskets, key=lambda thing: (-baskets[thing], thing))


def _things(order: Order, kind: str) -> set[str]:
    name = "category" if kind == CATEGORY else "product_id"
    return {getattr(item, name) for item in order.items} - {None}


# -- product_affinity ------------------------------------------------------------------------------


def affinities(purchases: Purchases, rules: Rules) -> list[Affinity]:
    """All pairs that are in enough baskets."""
    found = [
        *_in_one_basket(purchases, CATEGORY),
        *_in_one_basket(purchases, PRODUCT),
        *_on_the_next_day(purchases),
    ]
    return [pair for pair in found if pair.baskets >= rules.affinity_min_baskets]


def _in_one_basket(purchases: Purchases, kind: str) -> Iterator[Affinity]:
    alone: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    customers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for customer_id, order in purchases.baskets:
        things = purchases.things(order, kind)
        alone.update(things)
        for pair in ((a, b) for a in things for b in things if a != b):
            both[pair] += 1
            customers[pair].add(customer_id)
    for (first, second), baskets in both.items():
        yield Affinity(
            *(kind, first, second, baskets, alone[first], alone[second]),
            all_baskets=len(purchases.baskets),
            customers=len(customers[first, second]),
        )


def _on_the_next_day(purchases: Purchases) -> Iterator[Affinity]:
    """Of each order day that has a next one: its categories, and those of the next."""
    days: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for customer_id, order in purchases.baskets:
        days[customer_id][order.order_date] |= _things(order, CATEGORY)
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    customers: dict[tuple[str, str], set[str]] = defaultdict(set)
    steps = 0
    for customer_id, of_customer in days.items():
        ordered = [of_customer[day] for day in sorted(of_customer)]
        for today, next_day in pairwise(ordered):
            steps += 1
            before.update(today)
            after.update(next_day)
            for pair in ((a, b) for a in today for b in next_day):
                both[pair] += 1
                customers[pair].add(customer_id)
    for (first, second), baskets in both.items():
        yield Affinity(
            *(NEXT_CATEGORY, first, second, baskets, before[first], after[second], steps),
            customers=len(customers[first, second]),
        )


# -- customer_recommendations ----------------------------------------------------------------------


def _candidates(
    purchases: Purchases, pairs: Sequence[Affinity]
) -> dict[str, dict[str, list[Affinity]]]:
    """By customer and kind, the best pair of each thing not bought; the three best of them, the best first."""
    by_first: dict[tuple[str, str], list[Affinity]] = defaultdict(list)
    for pair in sorted(pairs, key=_best_second_first):
        if pair.baskets * pair.all_baskets > pair.first_baskets * pair.second_baskets:
            by_first[pair.affinity_kind, pair.first_id].append(pair)
    found: dict[str, dict[str, list[Affinity]]] = defaultdict(dict)
    for (customer_id, kind), bought in purchases.bought.items():
        firsts = sorted(bought, key=lambda thing: (-bought[thing], thing))[:FIRSTS]
        best: dict[str, Affinity] = {}
        for pair in sorted(
            (pair for first in firsts for pair in by_first[kind, first][:SECONDS]),
            key=lambda pair: (-pair.confidence, -pair.lift, pair.first_id),
        ):
            if pair.second_id not in bought:
                best.setdefault(pair.second_id, pair)
        if best:
            found[customer_id][kind] = sorted(best.values(), key=_best_second_first)[:RECOMMENDED]
    return found


def _best_second_first(pair: Affinity) -> tuple:
    return (-pair.confidence, -pair.lift, pair.affinity_kind, pair.second_id)


def _chosen(candidates: Mapping[str, Sequence[Affinity]], kind: str) -> list[Affinity]:
    """The three best of one kind, or of both."""
    if kind != ALL:
        return list(candidates.get(kind, []))
    both = [pair for pairs in candidates.values() for pair in pairs]
    return sorted(both, key=_best_second_first)[:RECOMMENDED]


def recommendations(
    purchases: Purchases,
    pairs: Sequence[Affinity],
    catalogue: Sequence[Product],
    erased: set[str],
    as_of_date: date,
) -> list[Recommendation]:
    """At most three of each customer who is not erased."""
    names = {product.product_id: product.product_name for product in catalogue}

    def name(kind: str, thing: str) -> str:
        return (names.get(thing) if kind == PRODUCT else None) or thing

    return [
        Recommendation(
            customer_id=customer_id,
            recommendation_rank=rank,
            recommended_kind=pair.affinity_kind,
            recommended_id=pair.second_id,
            recommended_name=(second := name(pair.affinity_kind, pair.second_id)),
            because_id=pair.first_id,
            because=(
                f"Bought {(first := name(pair.affinity_kind, pair.first_id))}; "
                f"{floor(Fraction(100 * pair.baskets, pair.first_baskets) + Fraction(1, 2))} % "
                f"of orders with {first} have {second} too."
            ),
            confidence=pair.confidence,
            lift=pair.lift,
            as_of_date=as_of_date,
        )
        for customer_id, candidates in _candidates(purchases, pairs).items()
        if customer_id not in erased
        for rank, pair in enumerate(_chosen(candidates, ALL), start=1)
    ]


# -- recommendation_backtest -----------------------------------------------------------------------


def backtests(
    orders_of: Mapping[str, Sequence[Order]], reviews: Sequence[Period], rules: Rules
) -> list[Backtest]:
    """Of the closed reviews that end a half-year: what the review before would have recommended."""
    return [
        backtest
        for period in reviews[1:]
        if not period.is_open_period and _ends_a_half_year(period, rules)
        for backtest in _backtest(orders_of, period, rules)
    ]


def _ends_a_half_year(period: Period, rules: Rules) -> bool:
    """Whether no later review ends in the same half of the year."""
    ends = period.calendar_end, following(period, rules.review_period).calendar_end
    before, after = ((day.year, day.month > 6) for day in ends)
    return before != after


def _backtest(
    orders_of: Mapping[str, Sequence[Order]], period: Period, rules: Rules
) -> Iterator[Backtest]:
    day = previous_period_end(period)
    purchases = Purchases(orders_of, day, rules)
    candidates_of = _candidates(purchases, affinities(purchases, rules))
    next_things = {
        customer_id: things
        for customer_id in candidates_of
        if (things := _bought_next(orders_of[customer_id], day, period.period_end)) is not None
    }
    for kind in (ALL, CATEGORY, PRODUCT):
        popular = purchases.popular(kind)
        hits: Counter[str] = Counter()
        customers = 0
        for customer_id, things in next_things.items():
            chosen = _chosen(candidates_of[customer_id], kind)
            if not chosen:
                continue
            customers += 1
            recommended = {(pair.affinity_kind, pair.second_id) for pair in chosen}
            hits["recommendations"] += bool(recommended & things)
            new = [(k, t) for k, t in popular if t not in purchases.bought[customer_id, k]]
            hits["most_popular"] += bool(set(new[:RECOMMENDED]) & things)
        for predictor in ("recommendations", "most_popular"):
            if customers:
                yield Backtest(day, period.period_end, kind, predictor, customers, hits[predictor])


def _bought_next(orders: Sequence[Order], day: date, until: date) -> set[tuple[str, str]] | None:
    """What was bought on the first order day after a day, as known at the end; None without such a day."""
    later = [
        order
        for order in orders
        if order.items and order.is_valid_on(until) and order.order_date > day
    ]
    first = min((order.order_date for order in later), default=None)
    if first is None:
        return None
    return {
        (kind, thing)
        for order in later
        if order.order_date == first
        for kind in (CATEGORY, PRODUCT)
        for thing in _things(order, kind)
    }
