"""Products: those that the shop lists and those that order lines name, and the lines with their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from oracle.money import Order
from oracle.reading import Staging


@dataclass(frozen=True)
class Product:
    """products; the dates are those of valid orders."""

    product_id: str
    product_name: str | None
    category: str | None
    product_type: str | None
    is_inferred: bool
    first_ordered_on: date | None
    last_ordered_on: date | None


@dataclass(frozen=True)
class OrderItem:
    """order_items."""

    order_id: str
    line_number: int
    customer_id: str | None
    order_date: date
    product_id: str | None
    product_name: str | None
    category: str | None
    product_type: str | None
    line_amount: Decimal | None


def products(staging: Staging, orders: Iterable[Order], as_of_date: date | None) -> list[Product]:
    """All products of the catalogue and of orders up to as_of_date."""
    listed = {row["product_id"]: row for row in staging.rows("products")}
    days: dict[str, list[date]] = defaultdict(list)
    for order in orders:
        if as_of_date is None or order.order_date > as_of_date:
            continue
        for item in order.items:
            if item.product_id is not None:
                days[item.product_id] += [order.order_date] * order.is_valid_on(as_of_date)
    return [
        Product(
            product_id=product_id,
            **{
                column: listed[product_id][column] if product_id in listed else None
                for column in ("product_name", "category", "product_type")
            },
            is_inferred=product_id not in listed,
            first_ordered_on=min(days[product_id], default=None),
            last_ordered_on=max(days[product_id], default=None),
        )
        for product_id in {*listed, *days}
    ]


def order_items(
    orders: Iterable[Order], catalogue: Iterable[Product], as_of_date: date | None
) -> list[OrderItem]:
    """The lines of all orders up to as_of_date."""
    names = {product.product_id: product.product_name for product in catalogue}
    return [
        OrderItem(
            order_id=order.order_id,
            line_number=item.line_number,
            customer_id=order.member_id,
            order_date=order.order_date,
            product_id=item.product_id,
            product_name=names.get(item.product_id),
            category=item.category,
            product_type=item.product_type,
            line_amount=item.line_amount,
        )
        for order in orders
        if as_of_date is not None and order.order_date <= as_of_date
        for item in order.items
    ]
