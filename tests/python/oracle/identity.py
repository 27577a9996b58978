"""Who is who: merges of customer ids, and the customers that result."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from oracle.reading import Row, Staging


@dataclass(frozen=True)
class Identity:
    """Resolved customers: final id of every merged id, and the attributes of every customer."""

    merged_into: dict[str, str]
    attributes: dict[str, dict[str, Any] | None]

    def resolve(self, customer_id: str | None) -> str | None:
        """The id under which a customer is known; None stays a guest."""
        return None if customer_id is None else self.merged_into.get(customer_id, customer_id)


def valid_merges(staging: Staging) -> dict[str, str]:
    """Reject self merges, second targets and cycles; return each merged id's final id."""
    rows = staging.rows("customer_merges")
    loops = [row for row in rows if row["from_customer_id"] == row["into_customer_id"]]
    staging.reject("customer_merges", loops, "self_merge", "into_customer_id")
    _reject_second_targets(staging)
    _reject_cycles(staging)
    target = {
        row["from_customer_id"]: row["into_customer_id"] for row in staging.rows("customer_merges")
    }
    return {customer_id: _end_of_chain(customer_id, target) for customer_id in target}


def _reject_second_targets(staging: Staging) -> None:
    """Of several targets the newest merge holds, on ties that of the smallest target."""
    targets: dict[str, list[Row]] = defaultdict(list)
    for row in staging.rows("customer_merges"):
        targets[row["from_customer_id"]].append(row)
    for rows in targets.values():
        rows.sort(key=lambda row: (-row["merged_at"].instant, row["into_customer_id"]))
        staging.reject("customer_merges", rows[1:], "second_target", "into_customer_id")


def _reject_cycles(staging: Staging) -> None:
    """Cut every cycle at its oldest merge."""
    merge = {row["from_customer_id"]: row for row in staging.rows("customer_merges")}
    seen: set[str] = set()
    for start in merge:
        path: list[str] = []
        here = start
        while here in merge and here not in seen:
            seen.add(here)
            path.append(here)
            here = merge[here]["into_customer_id"]
        if here in path:
            cycle = [merge[member] for member in path[path.index(here) :]]
            oldest = min(cycle, key=lambda row: (row["merged_at"].instant, row["from_customer_id"]))
            staging.reject("customer_merges", [oldest], "merge_cycle", "into_customer_id")


def _end_of_chain(customer_id: str, target: dict[str, str]) -> str:
    while customer_id in target:
        customer_id = target[customer_id]
    return customer_id


def resolve_customers(staging: Staging, merged_into: dict[str, str]) -> Identity:
    """All customers of accepted customer rows and accepted orders, of whatever status.

    A customer's attributes are those of the surviving id's row; failing that, of the merged rows
    the newest, then the smallest id; None for a customer that only orders name (inferred).
    """
    members: dict[str, list[Row]] = defaultdict(list)
    for row in staging.rows("customers"):
        customer_id = row["customer_id"]
        members[merged_into.get(customer_id, customer_id)].append(row)
    attributes: dict[str, dict[str, Any] | None] = {
        customer_id: _representative(customer_id, rows).values
        for customer_id, rows in members.items()
    }
    for order in staging.rows("orders"):
        if order["customer_id"] is not None:
            customer_id = order["customer_id"]
            attributes.setdefault(merged_into.get(customer_id, customer_id), None)
    return Identity(merged_into, attributes)


def _representative(customer_id: str, rows: list[Row]) -> Row:
    def order(row: Row) -> tuple[bool, float, str]:
        updated_at = row["updated_at"]
        age = float("inf") if updated_at is None else -updated_at.instant
        return (row["customer_id"] != customer_id, age, row["customer_id"])

    return min(rows, key=order)
