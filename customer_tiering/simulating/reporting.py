"""A simulation on the terminal, in English or Chinese, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from customer_tiering.language import Language, Words
from customer_tiering.reporting import heading, money, plain_table
from customer_tiering.simulating.outcome import Move, Outcome

CHANGES_SHOWN = 10
REASONS = {
    "score": Words("another management score", "管理分不同"),
    "tier_rules": Words(
        "the same score, entry rule of another tier", "分数相同，符合另一等级的进入条件"
    ),
    "earlier_reviews": Words(
        "the same score and entry rule; since an earlier review, by keep rule, hold or grace",
        "分数与进入条件相同；自此前评审起因保级条件、保护期或宽限期而不同",
    ),
    "rfm_scores": Words("other RFM scores", "RFM 评分不同"),
    "segment_map": Words("the same RFM scores, another map", "RFM 评分相同，细分规则不同"),
    "lifecycle": Words("another lifecycle stage", "生命周期阶段不同"),
}
MOVEMENTS = {
    "up": Words("higher tier", "等级提高"),
    "down": Words("lower tier", "等级降低"),
    "same_tier": Words("same tier, another segment or stage", "等级不变，细分或阶段不同"),
}


def print_outcome(outcome: Outcome, console: Console, say: Language) -> None:
    """Print what a simulation found, in a language."""
    parts: list[RenderableType] = [
        Text(
            say(
                f"Simulation as of {outcome.as_of_date}, compared with {outcome.basis.value.en} ({outcome.publication}).",
                f"模拟（截至 {outcome.as_of_date}），对比对象：{outcome.basis.value.zh}（{outcome.publication}）。",
            )
        ),
        *(Text(line) for line in _changes(outcome, say)),
        heading(say("Tiers now and simulated", "当前与模拟的等级")),
        _tiers(outcome, say),
        heading(_summary(outcome, say)),
    ]
    if outcome.moving(1) or outcome.moving(-1):
        parts += [_matrix(outcome, say), heading(say("Why", "原因"))]
    elif outcome.movements:
        parts.append(heading(say("Why", "原因")))
    if outcome.movements:
        parts.append(_reasons(outcome, say))
    for day in outcome.future_versions:
        parts.append(
            Text(
                say(
                    f"The ladder of {day} applies from the first review on or after that day: nothing of it shows as of "
                    f"{outcome.as_of_date}.",
                    f"{day} 起的等级规则自该日或之后的首次评审起生效：截至 {outcome.as_of_date} 尚无影响。",
                )
            )
        )
    console.print(Group(*parts), highlight=False)


def outcome_as_json(outcome: Outcome, out: Path | None) -> str:
    """What a simulation found, as JSON: amounts as text, labels and reasons in both languages."""
    found = {
        "publication": outcome.publication,
        "as_of_date": str(outcome.as_of_date) if outcome.as_of_date else None,
        "compared_with": outcome.basis.name.lower(),
        "reporting_currency": outcome.currency,
        "changes": [
            {"where": change.where.en, "before": change.before, "after": change.after}
            for change in outcome.changes
        ],
        "customers": outcome.customers,
        "customers_with_another_score": outcome.other_scores,
        "higher": _total_as_json(outcome.moving(1)),
        "lower": _total_as_json(outcome.moving(-1)),
        "movements": [
            {"movement": movement, "reason": reason, "customers": customers}
            for (movement, reason), customers in outcome.movements.items()
        ],
        "moves": [
            {
                "tier_code": move.tier_code,
                "simulated_tier_code": move.simulated_tier_code,
                "customers": move.customers,
                "window_revenue": str(move.window_revenue),
            }
            for move in outcome.moves
        ],
        "tiers": [
            {
                "tier_code": tier.tier_code,
                "tier_rank": tier.tier_rank,
                "label_en": tier.label.en,
                "label_zh": tier.label.zh,
                "customers": tier.customers,
                "simulated_customers": tier.simulated_customers,
                "window_revenue": str(tier.window_revenue),
                "simulated_window_revenue": str(tier.simulated_window_revenue),
                "benefit_cost": str(tier.benefit_cost),
                "simulated_benefit_cost": str(tier.simulated_benefit_cost),
            }
            for tier in outcome.tiers
        ],
        "rule_versions_to_come": [str(day) for day in outcome.future_versions],
        "file": str(out) if out else None,
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _total_as_json(moves: Sequence[Move]) -> dict[str, object]:
    return {
        "customers": sum(move.customers for move in moves),
        "window_revenue": str(_revenue(moves)),
    }


def _changes(outcome: Outcome, say: Language) -> list[str]:
    """What is simulated, a line each."""
    if not outcome.changes:
        return [say("Nothing is changed.", "没有任何变化。")]
    shown = [f"- {change.said(say)}" for change in outcome.changes[:CHANGES_SHOWN]]
    if more := len(outcome.changes) - len(shown):
        shown.append(say(f"- and {more} more changes", f"- 另有 {more} 项变化"))
    return shown


def _summary(outcome: Outcome, say: Language) -> str:
    higher, lower = outcome.moving(1), outcome.moving(-1)
    up, down = (f"{sum(move.customers for move in moves):,}" for moves in (higher, lower))
    touched = money(_revenue([*higher, *lower]))
    return say(
        f"{up} of {outcome.customers:,} customers would hold a higher tier, {down} a lower one: {touched} "
        f"{outcome.currency} of window revenue",
        f"{outcome.customers:,} 位客户中有 {up} 位等级会提高，{down} 位会降低，涉及窗口期收入 {touched} {outcome.currency}",
    )


def _tiers(outcome: Outcome, say: Language) -> Table:
    table = plain_table(
        say("Tier", "等级"),
        *(f">{name}" for name in (say("Customers", "客户数"), say("Simulated", "模拟"))),
        *(f">{name}" for name in (say("Revenue", "收入"), say("Simulated", "模拟"))),
        *(
            f">{name}"
            for name in (say("Benefits a year", "每年权益成本"), say("Simulated", "模拟"))
        ),
    )
    for tier in outcome.tiers:
        table.add_row(
            say(*tier.label),
            f"{tier.customers:,}",
            f"{tier.simulated_customers:,}",
            money(tier.window_revenue),
            money(tier.simulated_window_revenue),
            money(tier.benefit_cost),
            money(tier.simulated_benefit_cost),
        )
    costs = [
        sum((getattr(tier, name) for tier in outcome.tiers), Decimal())
        for name in ("benefit_cost", "simulated_benefit_cost")
    ]
    revenue = _revenue(outcome.moves)
    table.add_row(
        say("All", "合计"),
        *(f"{outcome.customers:,}",) * 2,
        *(money(revenue),) * 2,
        *(money(cost) for cost in costs),
    )
    return table


def _matrix(outcome: Outcome, say: Language) -> Table:
    """Customers, and below their window revenue, of each tier now (row) and simulated (column)."""
    names = {tier.tier_code: say(*tier.label) for tier in outcome.tiers}
    found = {(move.tier_code, move.simulated_tier_code): move for move in outcome.moves}
    columns = [code for code in names if any(after == code for _, after in found)]
    table = plain_table(
        say("Now (row), simulated (column)", "当前（行），模拟（列）"),
        *(f">{names[code]}" for code in columns),
    )
    for code in names:
        cells = [found.get((code, after)) for after in columns]
        if any(cells):
            shown = (f"{m.customers:,}\n{money(m.window_revenue)}" if m else "" for m in cells)
            table.add_row(names[code], *shown)
    return table


def _reasons(outcome: Outcome, say: Language) -> Table:
    table = plain_table(
        say("Movement", "变动"), say("Reason", "原因"), ">" + say("Customers", "客户数")
    )
    for (movement, reason), customers in outcome.movements.items():
        table.add_row(say(*MOVEMENTS[movement]), say(*REASONS[reason]), f"{customers:,}")
    return table


def _revenue(moves: Sequence[Move]) -> Decimal:
    return sum((move.window_revenue for move in moves), Decimal())
