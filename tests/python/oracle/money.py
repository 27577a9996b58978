"""Money: which orders enter, what reverses them and when, and the customer ledger."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from oracle.identity import Identity
from oracle.reading import Row, Staging, Stamp
from oracle.rules import Rules

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
LARGEST_AMOUNT = 10**12  # in the reporting currency


@dataclass(frozen=True)
class Item:
    """An order line with its product's category and type (None when unknown)."""

    line_number: int
    product_id: str | None
    line_amount: Decimal | None
    category: str | None
    product_type: str | None


@dataclass(frozen=True)
class Reversal:
    """What one refund, cancellation or return took away, in the reporting currency (positive)."""

    known_date: date
    refunded: Decimal
    undoes_order: bool


@dataclass
class Order:
    """An accepted order; amounts are in its own currency unless they say otherwise.

    ``customer_id`` is whose it is measured as and ``member_id`` who ordered, both None for a guest; they
    differ for members of groups that are one customer.
    """

    order_id: str
    customer_id: str | None
    member_id: str | None
    ordered_at: Stamp
    status: str
    channel: str | None
    order_amount: Decimal
    rate: Decimal
    is_test: bool
    cancelled_at: Stamp | None
    returned_at: Stamp | None
    reversals: list[Reversal] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)

    @property
    def order_date(self) -> date:
        """Business date of the order."""
        return self.ordered_at.day

    @property
    def order_amount_reporting(self) -> Decimal:
        """The order's amount in the reporting currency."""
        return to_reporting(self.order_amount, self.rate)

    @property
    def is_cancelled_later(self) -> bool:
        """Cancelled after it was made: it counts until then."""
        return (
            self.status == "cancelled"
            and self.cancelled_at is not None
            and self.cancelled_at.instant > self.ordered_at.instant
        )

    @property
    def enters(self) -> bool:
        """Whether the order enters the ledger (of a customer) or the guests' revenue."""
        counts = self.status in ("completed", "returned") or self.is_cancelled_later
        return counts and not self.is_test

    def is_valid_on(self, day: date) -> bool:
        """Whether the order, as known on a day, is there and not undone."""
        return (
            self.enters
            and self.order_date <= day
            and not any(r.undoes_order and r.known_date <= day for r in self.reversals)
        )

    def refunded_by(self, day: date) -> Decimal:
        """What reversals known on a day took away, in the reporting currency."""
        return sum((r.refunded for r in self.reversals if r.known_date <= day), ZERO)


@dataclass
class LedgerRow:
    """Sums of one customer, order date and known date. ``refunded`` is positive."""

    customer_id: str
    order_date: date
    known_date: date
    orders_delta: int = 0
    revenue_delta: Decimal = ZERO
    refunded: Decimal = ZERO


def to_reporting(amount: Decimal, rate: Decimal) -> Decimal:
    """Amount times rate, to cents, half away from zero."""
    return (amount * rate).quantize(CENT, ROUND_HALF_UP)


# -- Orders ----------------------------------------------------------------------------------------


def price_orders(staging: Staging, rules: Rules) -> dict[str, Decimal]:
    """Rate of every order by order_id; orders without one are rejected."""
    by_currency = rates_by_currency(staging)
    rate_of = {
        row["order_id"]: rate_on(row["ordered_at"].day, row["currency_code"], by_currency, rules)
        for row in staging.rows("orders")
    }
    without = [row for row in staging.rows("orders") if rate_of[row["order_id"]] is None]
    staging.reject("orders", without, "no_exchange_rate", "currency_code")
    too_large = [
        row
        for row in staging.rows("orders")
        if row["order_amount"] * rate_of[row["order_id"]] > LARGEST_AMOUNT
    ]
    staging.reject("orders", too_large, "amount_too_large", "order_amount")
    accepted = {row["order_id"] for row in staging.rows("orders")}
    return {order_id: rate for order_id, rate in rate_of.items() if order_id in accepted}


Rates = dict[str, list[tuple[date, Decimal]]]


def rates_by_currency(staging: Staging) -> Rates:
    """The rates of each currency with their days, oldest first."""
    by_currency: Rates = defaultdict(list)
    for row in staging.rows("exchange_rates"):
        by_currency[row["currency_code"]].append((row["rate_date"], row["rate_to_reporting"]))
    for rates in by_currency.values():
        rates.sort()
    return by_currency


def rate_on(day: date, currency: str | None, by_currency: Rates, rules: Rules) -> Decimal | None:
    """The newest rate on or before a day; 1 for the reporting currency."""
    currency = currency or rules.reporting_currency
    if currency == rules.reporting_currency:
        return Decimal(1)
    rates = by_currency.get(currency, [])
    known = bisect_right(rates, day, key=lambda rate: rate[0])
    return rates[known - 1][1] if known else None


def build_orders(staging: Staging, rates: dict[str, Decimal], identity: Identity) -> list[Order]:
    """All accepted orders with their items and reversals; orphans of other tables are rejected."""
    orders = {
        row["order_id"]: Order(
            order_id=row["order_id"],
            customer_id=identity.reviewed(row["customer_id"]),
            member_id=identity.resolve(row["customer_id"]),
            ordered_at=row["ordered_at"],
            status=row["status"],
            channel=row["channel"],
            order_amount=row["order_amount"],
            rate=rates[row["order_id"]],
            is_test=bool(row["is_test"]),
            cancelled_at=row["cancelled_at"],
            returned_at=row["returned_at"],
        )
        for row in staging.rows("orders")
    }
    for table in ("order_items", "refunds"):
        orphans = [row for row in staging.rows(table) if row["order_id"] not in orders]
        staging.reject(table, orphans, "unknown_order", "order_id")
    _add_items(staging, orders)
    _add_reversals(staging, orders)
    return list(orders.values())


def _add_items(staging: Staging, orders: dict[str, Order]) -> None:
    products = {row["product_id"]: row for row in staging.rows("products")}
    for row in staging.rows("order_items"):
        product = products.get(row["product_id"])
        item = Item(
            line_number=row["line_number"],
            product_id=row["product_id"],
            line_amount=row["line_amount"],
            category=product and product["category"],
            product_type=product and product["product_type"],
        )
        orders[row["order_id"]].items.append(item)


# -- Reversals -------------------------------------------------------------------------------------


def _add_reversals(staging: Staging, orders: dict[str, Order]) -> None:
    refunds: dict[str, list[Row]] = defaultdict(list)
    for row in staging.rows("refunds"):
        refunds[row["order_id"]].append(row)
    rejected: list[Row] = []
    for order in orders.values():
        if order.enters:
            rejected += _reverse(order, refunds.get(order.order_id, []), staging)
    staging.reject("refunds", rejected, "refund_exceeds_order", "refund_amount")


def _reverse(order: Order, refunds: list[Row], staging: Staging) -> list[Row]:
    """Apply refunds, then a cancellation or return; return the refunds wholly beyond the order.

    Refunds known after the cancellation settle it: they are kept and change nothing.
    """
    cancelled_on = _not_before(order, order.cancelled_at) if order.is_cancelled_later else None
    left, beyond = order.order_amount, []
    for known_date, row in sorted(
        ((_not_before(order, row["refunded_at"]), row) for row in refunds),
        key=lambda refund: (refund[0], refund[1]["refund_id"]),
    ):
        if cancelled_on is not None and known_date > cancelled_on:
            continue
        applied = min(left, row["refund_amount"])
        excess = row["refund_amount"] - applied
        left -= applied
        if applied:
            _add_reversal(order, known_date, left, undoes_order=left == 0)
            if excess:
                staging.cut_refund(row, excess)
        elif excess:
            beyond.append(row)
    is_undone = any(reversal.undoes_order for reversal in order.reversals)
    if cancelled_on is not None and not is_undone:
        _add_reversal(order, cancelled_on, ZERO, undoes_order=True)
    if order.status == "returned" and not refunds and order.order_amount > 0:
        _add_reversal(order, _not_before(order, order.returned_at), ZERO, undoes_order=True)
    return beyond


def _not_before(order: Order, stamp: Stamp | None) -> date:
    """Date on which a reversal is known: never before the order."""
    return order.order_date if stamp is None else max(stamp.day, order.order_date)


def _add_reversal(order: Order, known_date: date, left: Decimal, undoes_order: bool) -> None:
    """What takes the order down to ``left``, in its own currency.

    What is taken from it is rounded in all and not each time, so that nothing is left of an order that was
    wholly given back.
    """
    taken = to_reporting(order.order_amount - left, order.rate)
    before = sum((reversal.refunded for reversal in order.reversals), ZERO)
    order.reversals.append(Reversal(known_date, taken - before, undoes_order))


# -- The ledger ------------------------------------------------------------------------------------


def build_ledger(orders: list[Order]) -> list[LedgerRow]:
    """The additive ledger of all customers (guests are not in it), facts of any date."""
    ledger: dict[tuple[str, date, date], LedgerRow] = {}

    def row(order: Order, known_date: date) -> LedgerRow:
        key = (order.customer_id, order.order_date, known_date)
        return ledger.setdefault(key, LedgerRow(*key))

    for order in orders:
        if not order.enters or order.customer_id is None:
            continue
        entry = row(order, order.order_date)
        entry.orders_delta += 1
        entry.revenue_delta += order.order_amount_reporting
        for reversal in order.reversals:
            entry = row(order, reversal.known_date)
            entry.orders_delta -= reversal.undoes_order
            entry.revenue_delta -= reversal.refunded
            entry.refunded += reversal.refunded
    return sorted(
        ledger.values(), key=lambda row: (row.customer_id, row.known_date, row.order_date)
    )
