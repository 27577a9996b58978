"""Who is who: merges of customer ids, the customers that result, and the groups that companies form."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from oracle.reading import Row, Staging


@dataclass(frozen=True)
class Identity:
    """Resolved customers: final id of every merged id, and the attributes of every customer.

    ``parents`` has the parent of every customer who has one; ``is_by_group`` says that a group is one
    customer.
    """

    merged_into: dict[str, str]
    attributes: dict[str, dict[str, Any] | None]
    parents: dict[str, str]
    is_by_group: bool = False

    def resolve(self, customer_id: str | None) -> str | None:
        """The id under which a customer is known; None stays a guest."""
        return None if customer_id is None else self.merged_into.get(customer_id, customer_id)

    def line(self, customer_id: str) -> list[str]:
        """The customer and all above, up to the root."""
        line = [customer_id]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return line

    def root(self, customer_id: str) -> str:
        """The customer at the top of the hierarchy."""
        return self.line(customer_id)[-1]

    def reviewed(self, customer_id: str | None) -> str | None:
        """The id under which a customer is measured and tiered; None stays a guest."""
        resolved = self.resolve(customer_id)
        return self.root(resolved) if resolved is not None and self.is_by_group else resolved


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


def resolve_customers(
    staging: Staging, merged_into: dict[str, str], is_by_group: bool = False
) -> Identity:
    """All customers of accepted customer rows and accepted orders, of whatever status.

    A customer's attributes are those of the surviving id's row; failing that, of the merged rows
    the newest, then the smallest id; None for a customer that only orders name (inferred).
    """
    members: dict[str, list[Row]] = defaultdict(list)
    for row in staging.rows("customers"):
        customer_id = row["customer_id"]
        members[merged_into.get(customer_id, customer_id)].append(row)
    records = {
        customer_id: _representative(customer_id, rows) for customer_id, rows in members.items()
    }
    parents = _valid_parents(staging, records, merged_into)
    attributes: dict[str, dict[str, Any] | None] = {
        customer_id: row.values for customer_id, row in records.items()
    }
    for order in staging.rows("orders"):
        if order["customer_id"] is not None:
            customer_id = order["customer_id"]
            attributes.setdefault(merged_into.get(customer_id, customer_id), None)
    return Identity(merged_into, attributes, parents, is_by_group)


def _valid_parents(
    staging: Staging, records: dict[str, Row], merged_into: dict[str, str]
) -> dict[str, str]:
    """The parent of each customer after merges, by the record that speaks; what is wrong is listed."""
    parents: dict[str, str] = {}
    for customer_id, row in records.items():
        parent = row["parent_customer_id"]
        if parent is None:
            continue
        parent = merged_into.get(parent, parent)
        if parent == customer_id:
            staging.empty("customers", row, "self_parent", "parent_customer_id")
        elif parent not in records:
            staging.empty("customers", row, "unknown_parent", "parent_customer_id")
        else:
            parents[customer_id] = parent
    on_cycle: set[str] = set()
    finished: set[str] = set()
    for start in parents:
        path: dict[str, int] = {}
        here = start
        while here in parents and here not in path and here not in finished:
            path[here] = len(path)
            here = parents[here]
        if here in path:
            on_cycle |= {member for member, place in path.items() if place >= path[here]}
        finished |= path.keys()
    for customer_id in on_cycle:
        staging.empty("customers", records[customer_id], "parent_cycle", "parent_customer_id")
    return {child: parent for child, parent in parents.items() if child not in on_cycle}


def _representative(customer_id: str, rows: list[Row]) -> Row:
    def order(row: Row) -> tuple[bool, float, str]:
        updated_at = row["updated_at"]
        age = float("inf") if updated_at is None else -updated_at.instant
        return (row["customer_id"] != customer_id, age, row["customer_id"])

    return min(rows, key=order)
