"""What else is known of customers: balances of their accounts, and attributes."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from oracle.identity import Identity
from oracle.money import LARGEST_AMOUNT, rate_on, rates_by_currency, to_reporting
from oracle.reading import OLDEST, Row, Staging
from oracle.rules import Rules


class Balance(NamedTuple):
    """A balance in the reporting currency.

    An account is that of an id before merges, so that two accounts without an id stay two when their owners are merged.
    """

    customer_id: str
    owner_id: str
    account_id: str
    currency_code: str
    balance_date: date
    balance: Decimal


class Attribute(NamedTuple):
    """A value that holds for a customer after merges."""

    customer_id: str
    attribute: str
    value: str


def account_balances(staging: Staging, people: Identity, rules: Rules) -> list[Balance]:
    """Balances of known customers; those without a rate or worth too much, owned or owed, are rejected."""
    table = "account_balances"
    by_currency = rates_by_currency(staging)
    priced, without, too_large = [], [], []
    for row in staging.rows(table):
        rate = rate_on(row["balance_date"], row["currency_code"], by_currency, rules)
        if rate is None:
            without.append(row)
        elif abs(row["balance_amount"] * rate) > LARGEST_AMOUNT:
            too_large.append(row)
        else:
            priced.append((row, rate))
    staging.reject(table, without, "no_exchange_rate", "currency_code")
    staging.reject(table, too_large, "amount_too_large", "balance_amount")
    return [
        Balance(
            people.reviewed(row["customer_id"]),
            row["customer_id"],
            row["account_id"] or "",
            row["currency_code"],
            row["balance_date"],
            to_reporting(row["balance_amount"], rate),
        )
        for row, rate in priced
    ]


def customer_attributes(staging: Staging, people: Identity) -> set[Attribute]:
    """Of each customer and attribute the values of the newest time; those without a time are oldest."""
    rows_of: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for row in staging.rows("customer_attributes"):
        rows_of[people.resolve(row["customer_id"]), row["attribute"]].append(row)

    def time_of(row: Row) -> float:
        return row["updated_at"].instant if row["updated_at"] else OLDEST

    return {
        Attribute(customer_id, attribute, row["value"])
        for (customer_id, attribute), rows in rows_of.items()
        for row in rows
        if time_of(row) == max(map(time_of, rows))
    }
