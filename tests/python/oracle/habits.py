"""Habits: what customers buy most and where, over all their valid orders as known on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from oracle.money import CENT, ZERO, Item, Order
from oracle.rules import Rules

MILLIONTH = Decimal("0.000001")


@dataclass(frozen=True)
class Habits:
    """What is bought most and where; None where nothing says so."""

    demand_type: str | None = None
    favourite_category: str | None = None
    favourite_channel: str | None = None
    channel_mix: str | None = None


@dataclass(frozen=True)
class CustomerCategory:
    """customer_categories: a category that a customer has bought, 1 for that with the most revenue.

    ``revenue_share`` is of the rounded revenue above zero, 6 decimals; None when no category has any.
    """

    customer_id: str
    category: str
    category_rank: int
    orders: int
    revenue: Decimal
    revenue_share: Decimal | None
    first_order_on: date
    last_order_on: date


def habits(orders: Sequence[Order], day: date, rules: Rules) -> Habits:
    """The habits of the customer of some orders, as known on a day."""
    valid = [order for order in orders if order.is_valid_on(day)]
    lines = [(order, item) for order in valid for item in order.items]
    return Habits(
        demand_type=_largest((i.product_type, line_revenue(o, i)) for o, i in lines),
        favourite_category=_largest((i.category, line_revenue(o, i)) for o, i in lines),
        favourite_channel=_largest((o.channel, net_revenue(o, day)) for o in valid),
        channel_mix=_channel_mix(valid, rules),
    )


def net_revenue(order: Order, day: date) -> Decimal:
    """An order's net revenue as known on a day, in the reporting currency."""
    return order.order_amount_reporting - order.refunded_by(day)


def line_revenue(order: Order, item: Item) -> Decimal:
    """A line's amount in the reporting currency, unrounded; an unknown amount counts as 0."""
    return (item.line_amount or ZERO) * order.rate


def _largest(amounts: Iterable[tuple[str | None, Decimal]]) -> str | None:
    """The text with the largest sum, on ties the smallest; None when there is no text."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for text, amount in amounts:
        if text is not None:
            sums[text] += amount
    return min(sums, key=lambda text: (-sums[text], text), default=None)


def _channel_mix(orders: Iterable[Order], rules: Rules) -> str | None:
    """online, offline, or omnichannel for both; None when no channel is a known one."""
    types = {rules.channel_types.get((order.channel or "").lower()) for order in orders} - {None}
    return "omnichannel" if len(types) > 1 else next(iter(types), None)


def customer_categories(
    orders_of: Mapping[str, Sequence[Order]], as_of_date: date | None
) -> list[CustomerCategory]:
    """The categories of every customer's valid orders."""
    if as_of_date is None:
        return []
    return [
        category
        for customer_id, orders in orders_of.items()
        for category in _categories(
            customer_id, [order for order in orders if order.is_valid_on(as_of_date)]
        )
    ]


def _categories(customer_id: str, orders: Sequence[Order]) -> list[CustomerCategory]:
    bought: dict[str, list[Order]] = defaultdict(list)
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        for item in order.items:
            if item.category is not None:
                revenue[item.category] += line_revenue(order, item)
                if order not in bought[item.category]:
                    bought[item.category].append(order)
    ranked = sorted(bought, key=lambda category: (-revenue[category], category))
    shown = {category: revenue[category].quantize(CENT, ROUND_HALF_UP) for category in ranked}
    shares = _shares([max(Fraction(shown[category]), Fraction(0)) for category in ranked])
    return [
        CustomerCategory(
            customer_id=customer_id,
            category=category,
            category_rank=rank,
            orders=len(bought[category]),
            revenue=shown[category],
            revenue_share=share,
            first_order_on=min(order.order_date for order in bought[category]),
            last_order_on=max(order.order_date for order in bought[category]),
        )
        for rank, (category, share) in enumerate(zip(ranked, shares, strict=True), start=1)
    ]


def _shares(parts: Sequence[Fraction]) -> Sequence[Decimal | None]:
    """Each part of the whole, half up to 6 decimals; the first takes what is left over."""
    whole = sum(parts, Fraction(0))
    if whole == 0:
        return [None] * len(parts)
    millionths = [int(1_000_000 * part / whole + Fraction(1, 2)) for part in parts]
    millionths[0] += 1_000_000 - sum(millionths)
    return [number * MILLIONTH for number in millionths]
