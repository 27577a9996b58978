"""Movements: who has another tier at a later period end, why, and by what cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from oracle.rfm import ACTIVE, LAPSED, PROSPECT, Edges, score

UP = ("enter", "upgrade")
DOWN = ("downgrade", "leave")


@dataclass(frozen=True)
class PeriodRow:
    """What the marts say of a customer at a period end; scores are None for a prospect."""

    customer_id: str
    period_end: date
    tier_code: str
    tier_rank: int
    change_type: str
    reason_code: str | None
    recency_days: int | None
    frequency: int
    monetary: Decimal
    r_score: int | None
    f_score: int | None
    m_score: int | None

    @property
    def status(self) -> str:
        """Active, lapsed or prospect."""
        if self.r_score is None:
            return PROSPECT
        return ACTIVE if self.frequency else LAPSED

    @property
    def points(self) -> int | None:
        """Sum of the three scores."""
        if self.r_score is None:
            return None
        return self.r_score + self.f_score + self.m_score


@dataclass(frozen=True)
class Move:
    """A customer's net move, its reason and cause (own, others or rules).

    ``points_gained`` is the change of r + f + m, ``points_gained_by_self`` what remains of it by the
    edges of the earlier end; both are None unless the customer has scores at both ends.
    """

    customer_id: str
    from_tier_code: str
    to_tier_code: str
    is_up: bool
    reason_code: str
    cause: str
    points_gained: int | None
    points_gained_by_self: int | None


def moves(
    rows: Iterable[PeriodRow], edges: dict[tuple[date, str], Edges], from_end: date, to_end: date
) -> list[Move]:
    """The net moves of all customers between two period ends."""
    of_customer: dict[str, dict[date, PeriodRow]] = defaultdict(dict)
    for row in rows:
        if from_end <= row.period_end <= to_end:
            of_customer[row.customer_id][row.period_end] = row
    found = (_move(history, edges, from_end, to_end) for history in of_customer.values())
    return [move for move in found if move is not None]


def _move(
    history: dict[date, PeriodRow],
    edges: dict[tuple[date, str], Edges],
    from_end: date,
    to_end: date,
) -> Move | None:
    after = history[to_end]
    before = history.get(from_end)
    from_tier, from_rank = (before.tier_code, before.tier_rank) if before else ("none", 0)
    if after.tier_rank == from_rank:
        return None
    is_up = after.tier_rank > from_rank
    newest_first = sorted(history.values(), key=lambda row: row.period_end, reverse=True)
    reason = next(
        row.reason_code
        for row in newest_first
        if row.period_end > from_end and row.change_type in (UP if is_up else DOWN)
    )
    gained = by_self = None
    if before and before.points is not None and after.points is not None:
        gained = after.points - before.points
        by_self = sum(score(after, edges, from_end)) - before.points
    return Move(
        customer_id=after.customer_id,
        from_tier_code=from_tier,
        to_tier_code=after.tier_code,
        is_up=is_up,
        reason_code=reason,
        cause=_cause(is_up, reason, gained, by_self),
        points_gained=gained,
        points_gained_by_self=by_self,
    )


def _cause(is_up: bool, reason: str, gained: int | None, by_self: int | None) -> str:
    if reason == "rule_change":
        return "rules"
    if reason == "relative_position":
        return "others"
    if gained is None:
        return "own"
    with_the_move = gained > 0 if is_up else gained < 0
    with_the_move_by_self = by_self > 0 if is_up else by_self < 0
    return "others" if with_the_move and not with_the_move_by_self else "own"
