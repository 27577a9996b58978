"""Why a customer holds a tier: the reviews that changed it, the points that moved, what keeps and what lifts it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from customer_tiering.configuration import COMMAND_LINE
from customer_tiering.errors import ConfigurationError
from customer_tiering.language import Language, Words
from customer_tiering.pseudonyms import LENGTH
from customer_tiering.queries import query
from customer_tiering.reporting import heading, plain_table, reading_publication

KEEP = "keep"
RULES = {
    "keep": Words("keep", "保级"),
    "enter": Words("enter", "进入"),
    "score": Words("score", "总分"),
    "orders": Words("orders", "订单"),
    "revenue": Words("revenue", "消费金额"),
}
DAYS_AHEAD = {
    "tier_since": Words("In the tier since", "该等级始于"),
    "protected_until": Words("Protected from a downgrade until", "保护期至"),
    "next_review_on": Words("Next review on", "下次评审日"),
}


@dataclass(frozen=True)
class MovedInput:
    """An input whose points moved between a review and the one that it is compared with."""

    component: str
    input: str
    value_before: Decimal | None
    value_after: Decimal | None
    points_before: Decimal
    points_after: Decimal
    points_change: Decimal
    is_own_behaviour: bool | None
    is_reason: bool


@dataclass(frozen=True)
class Review:
    """A review of the customer. What `moved` is there when it `is_explained`, but not at a first review.

    `compared_period_end` is the review with which the points are compared, None without one.
    """

    period_end: date
    is_provisional: bool
    tier_code: str
    tier_code_before: str
    qualified_tier_code: str
    change_type: str | None
    reason_code: str | None
    management_score: Decimal | None
    recency_days: int | None
    orders: int
    revenue: Decimal
    compared_period_end: date | None
    is_explained: bool = False
    moved: Sequence[MovedInput] = ()

    @property
    def is_change(self) -> bool:
        """Whether the review changed, protected or spared the tier."""
        return self.change_type not in (None, KEEP)

    @property
    def moves(self) -> bool:
        """Whether the review led from one tier into another."""
        return self.tier_code != self.tier_code_before


@dataclass(frozen=True)
class Limit:
    """What keeping the tier held, or entering a higher one, asks for, and what is missing to it."""

    tier_code: str
    rule: str
    least_score: Decimal
    least_orders: int
    least_revenue: Decimal | None
    points_missing: Decimal | None
    orders_missing: int
    revenue_missing: Decimal

    @property
    def missing(self) -> dict[str, Decimal | int | None]:
        """What is missing by the rules that are not met."""
        amounts = {
            "score": self.points_missing,
            "orders": self.orders_missing,
            "revenue": self.revenue_missing,
        }
        return {rule: amount for rule, amount in amounts.items() if amount is None or amount > 0}


@dataclass(frozen=True)
class Explanation:
    """What a publication says of one customer's tier.

    `reviews` are those that are explained, those that they are compared with, and the ends of the time asked for.
    `tier_since` to `largest_lift_points` are known at the newest review only. `labels` are by (kind, code).
    """

    customer_id: str
    reviews: Sequence[Review]
    limits: Sequence[Limit]
    labels: Mapping[tuple[str, str], Words]
    tier_since: date | None = None
    protected_until: date | None = None
    next_review_on: date | None = None
    largest_lift_input: str | None = None
    largest_lift_points: Decimal | None = None

    @property
    def last(self) -> Review:
        """The review at the end of the time asked for."""
        return self.reviews[-1]

    def label(self, say: Language, kind: str, code: str | None) -> str:
        """What a code is called; the code itself where it has no label, nothing for None."""
        return say(*self.labels.get((kind, code or ""), (code or "", code or "")))

    @property
    def changes(self) -> list[Review]:
        """The reviews that are explained, the newest first."""
        return [review for review in reversed(self.reviews) if review.is_explained]


def read_explanation(
    warehouse: Path, customer_id: str, first: str | None, last: str | None
) -> Explanation:
    """Explain the tier of a customer in a publication.

    Without `last` up to the newest review. Explained are the changes after `first`; without it the one that led
    into the tier, and those after it. Raises ConfigurationError for a customer or date that there is not, and SourceError without
    a publication.
    """
    with reading_publication(warehouse) as connection:
        _check_customer(connection, customer_id)
        ends = [
            end
            for (end,) in connection.execute(
                "select period_end from marts.customer_periods where customer_id = $1 order by 1",
                [customer_id],
            ).fetchall()
        ]
        if not ends and (root := _root_reviewed(connection, customer_id)) != customer_id:
            found = "a member of a group that is reviewed as one customer"
            raise _not_explained(customer_id, found, f"the root of its group, {root}")
        if not ends:
            raise _not_explained(customer_id, "no order that counted", "a customer with one")
        end = _period_end("--to", last, ends) if last else ends[-1]
        start = _period_end("--from", first, [day for day in ends if day <= end]) if first else None
        return _read(connection, customer_id, start, end, end == ends[-1])


def _check_customer(connection: duckdb.DuckDBPyConnection, customer_id: str) -> None:
    found = connection.execute(
        "select is_erased from marts.customers where customer_id = $1", [customer_id]
    ).fetchone()
    if found and found[0]:
        raise _not_explained(customer_id, "an erased person", "a customer who has not been erased")
    if not found:
        (is_pseudonymised,) = connection.execute(
            f"select coalesce(bool_and(regexp_full_match(customer_id, '[0-9a-f]{{{LENGTH}}}')), false) "
            "from marts.customers where not is_erased"
        ).fetchall()[0]
        allowed = (
            f"the pseudonym of one, {LENGTH} hexadecimal digits, as the ids of this warehouse are pseudonyms"
            if is_pseudonymised
            else "a customer_id of marts.customers, in which merged ids are replaced and erased persons are erased_NNNNNN"
        )
        raise _not_explained(customer_id, "no such customer", allowed)


def _root_reviewed(connection: duckdb.DuckDBPyConnection, customer_id: str) -> str:
    """The id under which a customer is reviewed; in a publication of an earlier release their own."""
    try:
        rows = connection.execute(
            "select reviewed_customer_id from marts.customers where customer_id = $1", [customer_id]
        ).fetchall()
    except duckdb.BinderException:
        return customer_id
    return str(rows[0][0])


def _not_explained(customer_id: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"customer {customer_id!r}", found, allowed)


def _period_end(option: str, text: str, ends: Sequence[date]) -> date:
    for end in ends:
        if end.isoformat() == text:
            return end
    allowed = (
        f"the end of a period in which the customer was reviewed, from {ends[0]} to {ends[-1]}"
    )
    raise ConfigurationError(f"{COMMAND_LINE}, {option}", repr(text), allowed)


def _read(
    connection: duckdb.DuckDBPyConnection,
    customer_id: str,
    first: date | None,
    last: date,
    is_newest: bool,
) -> Explanation:
    def rows(name: str, **values: object) -> list[tuple[Any, ...]]:
        return connection.execute(query(name), {"customer_id": customer_id, **values}).fetchall()

    reviews = [Review(*row) for row in rows("explain_reviews", last=last)]
    changes = [review for review in reviews if review.is_change]
    if first is None:  # from the one that led into the tier on
        moves = [place for place, one in enumerate(changes) if one.moves]
        changes = changes[moves[-1] if moves else 0 :]
    else:
        changes = [one for one in changes if one.period_end > first]
    shown = {first, last}
    for change in changes:
        shown |= {change.period_end, change.compared_period_end}
    moved: dict[date, list[MovedInput]] = {change.period_end: [] for change in changes}
    for period_end, *row in rows("explain_points", reviews=list(moved)):
        moved[period_end].append(MovedInput(*row))
    labels = connection.execute(
        "select kind, code, label_en, label_zh from marts.labels"
    ).fetchall()
    explanation = Explanation(
        customer_id,
        reviews=[
            replace(
                review,
                is_explained=review.period_end in moved,
                moved=tuple(moved.get(review.period_end, ())),
            )
            for review in reviews
            if review.period_end in shown
        ],
        limits=[Limit(*row) for row in rows("explain_limits", last=last)],
        labels={(kind, code): Words(english, chinese) for kind, code, english, chinese in labels},
    )
    if not is_newest:
        return explanation
    ((since, protected_until, next_review_on, lift, lift_points),) = connection.execute(
        "select tier_since, protected_until, next_review_on, largest_lift_input, largest_lift_points "
        "from marts.customer_tiers left join marts.customer_scores using (customer_id) "
        "where customer_id = $1",
        [customer_id],
    ).fetchall()
    return replace(
        explanation,
        tier_since=since,
        protected_until=protected_until,
        next_review_on=next_review_on,
        largest_lift_input=lift,
        largest_lift_points=lift_points,
    )


def as_json(explanation: Explanation) -> str:
    """The explanation by codes, for programs; amounts and points are texts, as they are exact."""
    found = asdict(explanation)
    del found["labels"]
    for limit, exact in zip(found["limits"], explanation.limits, strict=True):
        limit["binding"] = list(exact.missing)
    return json.dumps(found, default=str, indent=1, ensure_ascii=False)


# -- In words --------------------------------------------------------------------------------------


def print_explanation(explanation: Explanation, console: Console, say: Language) -> None:
    """Print the explanation in a language."""
    last, customer = explanation.last, explanation.customer_id
    tier = explanation.label(say, "tier", last.tier_code)
    parts: list[RenderableType] = [
        heading(
            say(
                f"{tier}, customer {customer}, as of {last.period_end}",
                f"客户 {customer}：{tier}（截至 {last.period_end}）",
            )
        )
    ]
    for change in explanation.changes:
        parts += _change(change, explanation, say)
    if not explanation.changes:
        none = say("No review changed the tier in this time", "这段时间没有评审改变等级")
        parts.append(heading(none))
    parts += [heading(say("The reviews compared", "所比较的评审")), _reviews(explanation, say)]
    if explanation.limits:
        limits = say("What keeps the tier, and what each higher one asks for", "保级与升级的条件")
        parts += [heading(limits), _limits(explanation, say)]
    if explanation.next_review_on is not None:
        parts += [heading(say("What comes next", "接下来")), _next(explanation, say)]
    console.print(Group(*parts))


def _change(review: Review, explanation: Explanation, say: Language) -> list[RenderableType]:
    day, then = review.period_end, review.compared_period_end
    change = explanation.label(say, "change_type", review.change_type)
    before, after = (
        explanation.label(say, "tier", code) for code in (review.tier_code_before, review.tier_code)
    )
    reason = explanation.label(say, "reason_code", review.reason_code)
    parts: list[RenderableType] = [
        heading(
            say(
                f"{day}: {change}, from {before} to {after}", f"{day}：{change}，{before} → {after}"
            )
            if review.moves
            else say(f"{day}: {change}, stays {after}", f"{day}：{change}，等级不变：{after}")
        ),
        Text(say(f"Why: {reason}", f"原因：{reason}")),
    ]
    if review.is_provisional:
        parts.append(Text(say("Provisional: the period is open", "暂定：周期尚未完结")))
    if then is not None:
        parts += [
            Text(say(f"Points since {then}", f"{then} 以来的得分变化")),
            _points(review, explanation, say),
        ]
    return parts


def _points(review: Review, explanation: Explanation, say: Language) -> Table:
    columns = (
        say("Value\nbefore", "原值"),
        say("Value\nnow", "现值"),
        say("Points\nbefore", "原得分"),
        say("Points\nnow", "现得分"),
        say("Change", "变化"),
    )
    table = plain_table(say("Input", "项目"), *(f">{column}" for column in columns))
    for moved in review.moved:
        table.add_row(
            explanation.label(say, "input", moved.input),
            _figure(moved.value_before),
            _figure(moved.value_after),
            f"{moved.points_before:.2f}",
            f"{moved.points_after:.2f}",
            f"{moved.points_change:+.2f}",
            style="bold" if moved.is_reason else None,
        )
    then = next(one for one in explanation.reviews if one.period_end == review.compared_period_end)
    change = (review.management_score or Decimal(0)) - (then.management_score or Decimal(0))
    smaller = change - sum((moved.points_change for moved in review.moved), Decimal(0))
    if round(smaller, 2):
        table.add_row(say("smaller moves", "其余变化"), "", "", "", "", f"{smaller:+.2f}")
    return table


def _reviews(explanation: Explanation, say: Language) -> Table:
    columns = (
        say("Score", "总分"),
        say("Orders", "订单"),
        say("Revenue", "消费金额"),
        say("Days since\norder", "距上次\n购买天数"),
    )
    names = (">" + say("Review", "评审"), say("Tier", "等级"), say("Change", "变动"))
    table = plain_table(*names, *(f">{column}" for column in columns))
    for review in explanation.reviews:
        table.add_row(
            str(review.period_end),
            explanation.label(say, "tier", review.tier_code),
            explanation.label(say, "change_type", review.change_type),
            _two_decimals(review.management_score),
            f"{review.orders:,}",
            f"{review.revenue:,.2f}",
            _figure(review.recency_days),
        )
    return table


def _limits(explanation: Explanation, say: Language) -> Table:
    asked = (">" + say(*RULES[rule]).capitalize() for rule in ("score", "orders", "revenue"))
    names = (say("Tier", "等级"), say("Rule", "规则"), *asked, say("Missing", "还差"))
    table = plain_table(*names)
    for limit in explanation.limits:
        missing = (
            f"{say(*RULES[rule])} {_figure(amount) if rule == 'orders' else _two_decimals(amount)}"
            for rule, amount in limit.missing.items()
        )
        table.add_row(
            explanation.label(say, "tier", limit.tier_code),
            say(*RULES[limit.rule]),
            f"{limit.least_score:.2f}",
            f"{limit.least_orders:,}",
            _two_decimals(limit.least_revenue),
            say(", ", "、").join(missing),
        )
    return table


def _next(explanation: Explanation, say: Language) -> Table:
    table = plain_table("", "")
    table.show_header = False
    for name, words in DAYS_AHEAD.items():
        if (day := getattr(explanation, name)) is not None:
            table.add_row(say(*words), str(day))
    if explanation.largest_lift_input:
        lifted = explanation.label(say, "input", explanation.largest_lift_input)
        points = _two_decimals(explanation.largest_lift_points)
        table.add_row(
            say("Lifts the score most", "最能提高总分的一项"),
            say(f"{lifted}, +{points}", f"{lifted}，+{points}"),
        )
    return table


def _two_decimals(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _figure(value: Decimal | int | None) -> str:
    """A number with the decimals that it has, four at most; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.4f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) else f"{value:,}"
