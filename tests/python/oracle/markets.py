"""Markets: what was sold period by period and to whom, where revenue went, and who the customers of a segment are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from oracle.habits import net_revenue
from oracle.marts import Customer
from oracle.money import CENT, ZERO, Order
from oracle.periods import Period

UNKNOWN = "unknown"
NONE = "none"  # what a flow comes from or goes to when it is no category
DIMENSIONS = ("all", "region", "industry", "channel", "category")
PERIODS_A_YEAR = {"month": 12, "week": 52, "quarter": 4}
PROFILED = (
    *("age_band", "gender", "region", "city", "country_code"),
    *("customer_type", "industry", "company_size"),
)
SEGMENT_KINDS = {
    "segment": "segment_code",
    "tier": "tier_code",
    "value_class": "value_class",
    "lifecycle_stage": "lifecycle_stage",
}


# -- market_trends ---------------------------------------------------------------------------------


@dataclass
class Sales:
    """What was sold in one period to the customers of one value."""

    buyers: set[str] = field(default_factory=set)
    new_buyers: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    revenue: Decimal = ZERO


@dataclass(frozen=True)
class MarketTrend:
    """market_trends; ratios are exact, None where their base is zero."""

    period_end: date
    period_start: date
    is_open_period: bool
    dimension: str
    dimension_value: str
    customers: int
    new_customers: int
    new_share: Fraction | None
    orders: int
    revenue: Decimal
    average_order_value: Fraction | None
    revenue_year_before: Decimal | None


def market_trends(
    orders_of: Mapping[str, Sequence[Order]],
    customers: Mapping[str, Customer],
    reviews: Sequence[Period],
    review_period: str,
) -> list[MarketTrend]:
    """Every period of each value, from the first one in which something was bought."""
    sales = [_sales(orders_of, customers, period) for period in reviews]
    first: dict[tuple[str, str], int] = {}
    for number, of_period in enumerate(sales):
        for key in of_period:
            first.setdefault(key, number)
    year = PERIODS_A_YEAR[review_period]
    trends = []
    for (dimension, value), begun in first.items():
        for number in range(begun, len(reviews)):
            period, sold = reviews[number], sales[number].get((dimension, value), Sales())
            before = None
            if number >= year and not period.is_open_period:
                before = sales[number - year].get((dimension, value), Sales()).revenue
            trends.append(
                MarketTrend(
                    period_end=period.period_end,
                    period_start=period.period_start,
                    is_open_period=period.is_open_period,
                    dimension=dimension,
                    dimension_value=value,
                    customers=len(sold.buyers),
                    new_customers=len(sold.new_buyers),
                    new_share=_ratio(len(sold.new_buyers), len(sold.buyers)),
                    orders=len(sold.orders),
                    revenue=sold.revenue,
                    average_order_value=_ratio(sold.revenue, len(sold.orders)),
                    revenue_year_before=before,
                )
            )
    return trends


def _sales(
    orders_of: Mapping[str, Sequence[Order]], customers: Mapping[str, Customer], period: Period
) -> dict[tuple[str, str], Sales]:
    """What was sold in a period, as known at its end."""
    end = period.period_end
    sales: dict[tuple[str, str], Sales] = defaultdict(Sales)
    for customer_id, orders in orders_of.items():
        valid = [order for order in orders if order.is_valid_on(end)]
        begun = min((order.order_date for order in valid), default=None)
        for order in valid:
            if order.order_date < period.period_start:
                continue
            for dimension, value, revenue in _parts(order, customers[customer_id], end):
                sold = sales[dimension, value]
                sold.buyers.add(customer_id)
                sold.orders.add(order.order_id)
                sold.revenue += revenue
                if begun >= period.period_start:
                    sold.new_buyers.add(customer_id)
    return sales


def _parts(order: Order, customer: Customer, day: date) -> Iterator[tuple[str, str, Decimal]]:
    """The dimensions and values among which an order counts, and for how much."""
    revenue = net_revenue(order, day)
    yield "all", "all", revenue
    for dimension in ("region", "industry"):
        yield dimension, customer.described(dimension) or UNKNOWN, revenue
    yield "channel", order.channel or UNKNOWN, revenue
    for value, part in by_category(order, revenue).items():
        yield "category", value, part


def by_category(order: Order, revenue: Decimal) -> dict[str, Decimal]:
    """An order's revenue by category: to cents by its lines' amounts, or equally when none is above zero.

    Cents that are missing or too many are those of the largest line, the first of equals.
    """
    lines = sorted(order.items, key=lambda item: (-(item.line_amount or ZERO), item.line_number))
    if not lines:
        return {UNKNOWN: revenue}
    weights = [max(Fraction(line.line_amount or 0), Fraction(0)) for line in lines]
    if not any(weights):
        weights = [Fraction(1)] * len(lines)
    cents = [
        int(Fraction(revenue) * 100 * weight / sum(weights) + Fraction(1, 2)) for weight in weights
    ]
    cents[0] += int(revenue * 100) - sum(cents)
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for line, share in zip(lines, cents, strict=True):
        parts[line.category or UNKNOWN] += share * CENT
    return dict(parts)


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None


# -- category_flows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CategoryFlow:
    """category_flows."""

    period_end: date
    is_open_period: bool
    from_category: str
    to_category: str
    customers: int
    revenue: Decimal


def category_flows(
    orders_of: Mapping[str, Sequence[Order]], reviews: Sequence[Period]
) -> list[CategoryFlow]:
    """What became of the revenue of each category from one review to the next."""
    flows = []
    for earlier, later in pairwise(reviews):
        revenue: dict[tuple[str, str], int] = defaultdict(int)
        customers: dict[tuple[str, str], set[str]] = defaultdict(set)
        for customer_id, orders in orders_of.items():
            before, after = (_cents_by_category(orders, period) for period in (earlier, later))
            for pair, (cents, counts) in flows_of_customer(before, after).items():
                revenue[pair] += cents
                customers[pair] |= {customer_id} if counts else set()
        flows += [
            CategoryFlow(
                *(later.period_end, later.is_open_period, *pair),
                customers=len(customers[pair]),
                revenue=cents * CENT,
            )
            for pair, cents in revenue.items()
        ]
    return flows


def flows_of_customer(
    before: Mapping[str, int], after: Mapping[str, int]
) -> dict[tuple[str, str], tuple[int, bool]]:
    """The cents of each flow, and whether the customer counts in it.

    Falls are matched to rises in proportion, down to whole cents. What is left goes to ``none``, or comes from it;
    only a customer whose revenue fell, or rose, counts there.
    """
    falls, rises, flows = {}, {}, {}
    for category in {*before, *after}:
        was, now = before.get(category, 0), after.get(category, 0)
        if min(was, now):
            flows[category, category] = (min(was, now), True)
        if was > now:
            falls[category] = was - now
        if now > was:
            rises[category] = now - was
    fell, rose = sum(falls.values()), sum(rises.values())
    left_of_falls, left_of_rises = dict(falls), dict(rises)
    for source, fall in falls.items():
        for target, rise in rises.items():
            if matched := fall * rise // max(fell, rose):
                flows[source, target] = (matched, True)
                left_of_falls[source] -= matched
                left_of_rises[target] -= matched
    flows |= {(c, NONE): (left, fell > rose) for c, left in left_of_falls.items() if left}
    return flows | {(NONE, c): (left, rose > fell) for c, left in left_of_rises.items() if left}


def _cents_by_category(orders: Iterable[Order], period: Period) -> dict[str, int]:
    """A customer's revenue of a period's orders by category, as known at its end."""
    cents: dict[str, int] = defaultdict(int)
    for order in orders:
        if period.period_start <= order.order_date and order.is_valid_on(period.period_end):
            revenue = net_revenue(order, period.period_end)
            for category, part in by_category(order, revenue).items():
                cents[category] += int(part * 100)
    return cents


# -- segment_profiles ------------------------------------------------------------------------------


@dataclass(frozen=True)
class SegmentProfile:
    """segment_profiles; the share and the index are exact."""

    segment_kind: str
    segment_code: str
    dimension: str
    dimension_value: str
    customers: int
    window_revenue: Decimal
    customer_share: Fraction
    index_to_average: Fraction
    is_small_group: bool


def segment_profiles(
    customers: Iterable[Customer],
    window_revenue: Mapping[str, Decimal],
    attributes: Mapping[str, Mapping[str, set[str]]],
    profile_dimensions: Sequence[str],
    min_group_size: int,
) -> list[SegmentProfile]:
    """Every value that a customer of the segment has; ``attributes`` are by customer and name."""
    customers = list(customers)
    members: dict[tuple[str, str, str, str], list[Customer]] = defaultdict(list)
    of_segment: dict[tuple[str, str], int] = defaultdict(int)
    of_value: dict[tuple[str, str], int] = defaultdict(int)
    for customer in customers:
        segments = [(kind, getattr(customer, name)) for kind, name in SEGMENT_KINDS.items()]
        for segment in segments:
            of_segment[segment] += 1
        for value in _values(customer, attributes, profile_dimensions):
            of_value[value] += 1
            for segment in segments:
                members[*segment, *value].append(customer)
    return [
        SegmentProfile(
            *key,
            customers=len(found),
            window_revenue=sum((window_revenue.get(c.customer_id, ZERO) for c in found), ZERO),
            customer_share=(share := Fraction(len(found), of_segment[key[:2]])),
            index_to_average=100 * share / Fraction(of_value[key[2:]], len(customers)),
            is_small_group=len(found) < min_group_size,
        )
        for key, found in members.items()
    ]


def _values(
    customer: Customer,
    attributes: Mapping[str, Mapping[str, set[str]]],
    profile_dimensions: Sequence[str],
) -> Iterator[tuple[str, str]]:
    for dimension in PROFILED:
        yield dimension, customer.described(dimension) or UNKNOWN
    for name in profile_dimensions:
        for value in attributes.get(customer.customer_id, {}).get(name) or {UNKNOWN}:
            yield name, value
