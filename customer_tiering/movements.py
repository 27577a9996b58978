"""Who moved between tiers from one period to another, for which reason and cause."""

from __future__ import annotations

import json
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
from customer_tiering.language import Language, Words
from customer_tiering.queries import query
from customer_tiering.reporting import heading, money, percent, plain_table, reading_publication

REVIEWS_APART = 12  # of the two periods when none are named
CAUSES = {
    "own": Words("Own behaviour", "客户自身变化"),
    "others": Words("A shift of the score edges by other customers", "其他客户使得分分界移动"),
    "rules": Words("New rules", "规则变更"),
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
    earlier edges show too: the customers' own). `tiers` says what the tiers are called.
    """

    from_end: date
    to_end: date
    customers: int
    transitions: list[tuple[str, str, int, Decimal]]
    reasons: list[tuple[bool, str, str, int, float]]
    causes: list[tuple[str, int, float]]
    points: list[tuple[bool, int, float, float]]
    tiers: dict[str, Words]


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
    transitions = connection.execute(query("movements_transitions")).fetchall()
    called = connection.execute(
        "select code, label_en, label_zh from marts.labels where kind = 'tier'"
    ).fetchall()
    codes = {code for from_tier, to_tier, *_ in transitions for code in (from_tier, to_tier)}
    return Movements(
        from_end=first,
        to_end=last,
        customers=connection.execute("select count(*) from moves").fetchall()[0][0],
        transitions=transitions,
        reasons=connection.execute(query("movements_reasons")).fetchall(),
        causes=connection.execute(query("movements_causes")).fetchall(),
        points=connection.execute(query("movements_points")).fetchall(),
        tiers={
            **{code: Words(code, code) for code in codes},
            **{code: Words(english, chinese) for code, english, chinese in called},
        },
    )


def movements_as_json(movements: Movements) -> str:
    """The movements for programs, by code and with labels in both languages; amounts as text."""
    labels = movements.tiers
    found = {
        "from": movements.from_end,
        "to": movements.to_end,
        "customers": movements.customers,
        "transitions": [
            {
                **{"from_tier": from_tier, "to_tier": to_tier},
                **{"from_label_en": labels[from_tier].en, "from_label_zh": labels[from_tier].zh},
                **{"to_label_en": labels[to_tier].en, "to_label_zh": labels[to_tier].zh},
                **{"customers": customers, "revenue": revenue},
            }
            for from_tier, to_tier, customers, revenue in movements.transitions
        ],
    }
    names = {
        "reasons": ("is_up", "reason_en", "reason_zh", "customers", "share"),
        "causes": ("cause", "customers", "share"),
        "points": ("is_up", "customers", "change", "own_change"),
    }
    for part, columns in names.items():
        rows = getattr(movements, part)
        found[part] = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(found, default=str, ensure_ascii=False, indent=2)


def print_movements(movements: Movements, console: Console, say: Language) -> None:
    """Print the movements in a language."""
    moved = sum(customers for _, _, customers, _ in movements.transitions)
    ends, customers = (movements.from_end, movements.to_end), movements.customers
    parts: list[Padding | Table] = [
        heading(
            say(
                f"Movements from {ends[0]} to {ends[1]}: {moved:,} of {customers:,} customers",
                f"等级变动（{ends[0]} 至 {ends[1]}）：{customers:,} 位客户中的 {moved:,} 位",
            )
        )
    ]
    if moved:
        parts += [
            _transitions(movements, say),
            heading(say("Why", "原因")),
            _reasons(movements, say),
            heading(say("Cause", "变动来源")),
            _causes(movements, say),
            heading(say("Change of the RFM scores, r + f + m", "RFM 得分变化（r + f + m）")),
            _points(movements, say),
        ]
    console.print(Group(*parts))


def _transitions(movements: Movements, say: Language) -> Table:
    names = (say("From", "从"), say("To", "到"), ">" + say("Customers", "客户数"))
    table = plain_table(*names, ">" + say("Revenue now", "当前收入"))
    for from_tier, to_tier, customers, revenue in movements.transitions:
        tiers = (say(*movements.tiers[tier]) for tier in (from_tier, to_tier))
        table.add_row(*tiers, f"{customers:,}", money(revenue))
    return table


def _reasons(movements: Movements, say: Language) -> Table:
    names = (say("Way", "方向"), say("Reason", "原因"), ">" + say("Customers", "客户数"))
    table = plain_table(*names, ">" + say("Share", "占比"))
    shown = None
    for is_up, reason_en, reason_zh, customers, share in movements.reasons:
        way = "" if is_up == shown else _way(is_up, say)
        table.add_row(way, say(reason_en, reason_zh), f"{customers:,}", percent(share))
        shown = is_up
    return table


def _causes(movements: Movements, say: Language) -> Table:
    names = (say("Cause", "来源"), ">" + say("Customers", "客户数"), ">" + say("Share", "占比"))
    table = plain_table(*names)
    for cause, customers, share in movements.causes:
        table.add_row(say(*CAUSES[cause]), f"{customers:,}", percent(share))
    return table


def _points(movements: Movements, say: Language) -> Table:
    names = (
        say("Customers", "客户数"),
        say("Change", "变化"),
        say("Own", "自身"),
        say("Edges", "分界"),
    )
    table = plain_table(say("Way", "方向"), *(f">{name}" for name in names))
    for is_up, customers, gained, gained_by_self in movements.points:
        parts = (gained, gained_by_self, gained - gained_by_self)
        figures = (f"{part:+.2f}" for part in parts)
        table.add_row(_way(is_up, say), f"{customers:,}", *figures)
    return table


def _way(is_up: bool, say: Language) -> str:
    return say("up", "上升") if is_up else say("down", "下降")
