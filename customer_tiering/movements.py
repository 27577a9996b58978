"""Who moved between tiers from one period to another, for which reason and cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError
from customer_tiering.queries import query
from customer_tiering.reporting import heading, money, percent, plain_table, reading_publication

REVIEWS_APART = 12  # of the two periods when none are named
CAUSES = {
    "own": ("Own behaviour", "客户自身变化"),
    "others": ("A shift of the score edges by other customers", "其他客户使得分分界移动"),
    "rules": ("New rules", "规则变更"),
}

# The rule stands once, in this macro: analyses/tier_drift.sql is made of it too.
_MOVES = Path(__file__).parent.parent / "macros" / "tier_movements.sql"


@dataclass(frozen=True)
class Movements:
    """What happened between two period ends.

    `transitions` are (from tier, to tier, customers, their net revenue of the window at the later
    end) of those who moved; `reasons` (went up, English, Chinese, customers, share of those who
    went that way); `causes` (own, others or rules; customers; share of all who moved); `points` (went
    up, customers scored at both ends, mean change of r + f + m, and the part of it that the
    earlier edges show too: the customers' own).
    """

    from_end: date
    to_end: date
    customers: int
    transitions: list[tuple[str, str, int, Decimal]]
    reasons: list[tuple[bool, str, str, int, float]]
    causes: list[tuple[str, int, float]]
    points: list[tuple[bool, int, float, float]]


def read_movements(warehouse: Path, from_end: str | None, to_end: str | None) -> Movements:
    """Compare the tiers of two closed periods of a publication.

    Without `to_end` the newest closed period is taken, without `from_end` the one twelve reviews
    before it, or the first. Raises ConfigurationError for a date that ends no closed period, and
    SourceError without a publication.
    """
    with reading_publication(warehouse) as connection:
        ends = [
            end
            for (end,) in connection.execute(
                "select period_end from marts.review_periods where not is_open_period order by 1"
            ).fetchall()
        ]
        if len(ends) < 2:
            found = f"{len(ends)} closed periods"
            raise ConfigurationError(str(warehouse), found, "two or more to compare")
        last = _period_end("--to", to_end, ends[1:]) if to_end else ends[-1]
        before = [end for end in ends if end < last]
        first = (
            _period_end("--from", from_end, before)
            if from_end
            else before[max(len(before) - REVIEWS_APART, 0)]
        )
        return _compare(connection, first, last)


def _period_end(option: str, text: str, ends: list[date]) -> date:
    for end in ends:
        if end.isoformat() == text:
            return end
    allowed = f"the end of a closed period from {ends[0]} to {ends[-1]}"
    raise ConfigurationError(f"{COMMAND_LINE}, {option}", repr(text), allowed)


def _compare(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> Movements:
    macros: Any = Environment().from_string(_MOVES.read_text(encoding="utf-8")).module
    moves = macros.tier_movements(
        "marts.customer_periods", "marts.rfm_score_edges", "$from_end", "$to_end"
    )
    connection.execute(f"create temp table moves as {moves}", {"from_end": first, "to_end": last})
    return Movements(
        from_end=first,
        to_end=last,
        customers=connection.execute("select count(*) from moves").fetchall()[0][0],
        transitions=connection.execute(query("movements_transitions")).fetchall(),
        reasons=connection.execute(query("movements_reasons")).fetchall(),
        causes=connection.execute(query("movements_causes")).fetchall(),
        points=connection.execute(query("movements_points")).fetchall(),
    )


def print_movements(movements: Movements, console: Console) -> None:
    """Print the movements, English with Chinese beside."""
    moved = sum(customers for _, _, customers, _ in movements.transitions)
    parts: list[Padding | Table] = [
        heading(
            f"Movements from {movements.from_end} to {movements.to_end}: {moved:,} of "
            f"{movements.customers:,} customers",
            f"等级变动（{movements.from_end} 至 {movements.to_end}）",
        )
    ]
    if moved:
        parts += [
            _transitions(movements),
            heading("Why", "原因"),
            _reasons(movements),
            heading("Cause", "变动来源"),
            _causes(movements),
            heading("Change of the RFM scores, r + f + m", "RFM 得分变化"),
            _points(movements),
        ]
    console.print(Group(*parts))


def _transitions(movements: Movements) -> Table:
    table = plain_table("From", "To", ">Customers", ">Revenue now")
    for from_tier, to_tier, customers, revenue in movements.transitions:
        table.add_row(from_tier, to_tier, f"{customers:,}", money(revenue))
    return table


def _reasons(movements: Movements) -> Table:
    table = plain_table("Way", "方向", "Reason", "原因", ">Customers", ">Share")
    shown = None
    for is_up, reason_en, reason_zh, customers, share in movements.reasons:
        way = ("", "") if is_up == shown else ("up", "上升") if is_up else ("down", "下降")
        table.add_row(*way, reason_en, reason_zh, f"{customers:,}", percent(share))
        shown = is_up
    return table


def _causes(movements: Movements) -> Table:
    table = plain_table("Cause", "来源", ">Customers", ">Share")
    for cause, customers, share in movements.causes:
        table.add_row(*CAUSES[cause], f"{customers:,}", percent(share))
    return table


def _points(movements: Movements) -> Table:
    table = plain_table("Way", "方向", ">Customers", ">Change", ">Own", ">Edges")
    for is_up, customers, gained, gained_by_self in movements.points:
        way = ("up", "上升") if is_up else ("down", "下降")
        parts = (gained, gained_by_self, gained - gained_by_self)
        table.add_row(*way, f"{customers:,}", *(f"{part:+.2f}" for part in parts))
    return table
