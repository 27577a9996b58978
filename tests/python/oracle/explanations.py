"""Explanations: which points moved at a review that changed a tier, and what each higher tier asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from oracle.marts import CustomerPeriodRow
from oracle.money import ZERO
from oracle.rfm import PROSPECT
from oracle.rules import Rules
from oracle.scores import INTERACTION_INPUTS, input_values
from oracle.tiers import CustomerPeriod, own_move

# The input that a reason without an input in its name stands for.
REASON_INPUTS = {"refund": "monetary"}


@dataclass(frozen=True)
class TierChangeDetail:
    """tier_change_details: an input whose points moved since the review compared with."""

    customer_id: str
    period_end: date
    component: str
    input: str
    input_value_before: int | Decimal | Fraction | None
    input_value_after: int | Decimal | Fraction | None
    points_before: Decimal
    points_after: Decimal
    is_own_behaviour: bool | None
    is_reason: bool
    compared_period_end: date

    @property
    def points_change(self) -> Decimal:
        """The part of the input in the change of the score."""
        return self.points_after - self.points_before


def tier_change_details(rows: Sequence[CustomerPeriod], rules: Rules) -> Iterator[TierChangeDetail]:
    """What moved at the reviews of one customer, which are in order."""
    for place, row in enumerate(rows):
        if not place or row.change_type in (None, "keep"):
            continue
        compared = rows[place - 1] if row.change_type == "enter" else row.reference
        reason = row.reason_code.removesuffix("_up").removesuffix("_down")
        for component in rules.components:
            for name, _ in component.inputs:
                before, is_reason = compared.points(name), REASON_INPUTS.get(reason, reason) == name
                moved = abs(row.points(name) - before)
                if not moved or (moved < rules.change_details_min_points and not is_reason):
                    continue
                yield TierChangeDetail(
                    customer_id=row.customer_id,
                    period_end=row.period.period_end,
                    component=component.component,
                    input=name,
                    input_value_before=_shown(name, compared),
                    input_value_after=_shown(name, row),
                    points_before=before,
                    points_after=row.points(name),
                    is_own_behaviour=_is_own(name, compared, row, row.points(name) - before),
                    is_reason=is_reason,
                    compared_period_end=compared.period.period_end,
                )


def _shown(name: str, row: CustomerPeriod) -> int | Decimal | Fraction | None:
    """What the input is computed from; of unknown inputs only the counts of interactions are shown."""
    if name not in row.values and name not in INTERACTION_INPUTS:
        return None
    return input_values(row.measures)[name]


def _is_own(name: str, before: CustomerPeriod, row: CustomerPeriod, change: Decimal) -> bool | None:
    if name not in before.values or name not in row.values:
        return None
    return own_move(name, before, row) * change > 0


@dataclass(frozen=True)
class TierTarget:
    """customer_tier_targets: what is missing to a tier above the one held; points are None without a score."""

    customer_id: str
    tier_code: str
    tier_rank: int
    points_missing: Decimal | None
    orders_missing: int
    revenue_missing: Decimal


def tier_targets(row: CustomerPeriodRow, rules: Rules) -> Iterator[TierTarget]:
    """The targets of a customer at the last period; a prospect has none."""
    if row.status == PROSPECT:
        return
    for tier in rules.ladder_on(row.period_end).tiers:
        if tier.tier_rank > row.tier_rank:
            score, revenue = row.management_score, tier.enter_min_revenue
            yield TierTarget(
                customer_id=row.customer_id,
                tier_code=tier.tier_code,
                tier_rank=tier.tier_rank,
                points_missing=None if score is None else max(ZERO, tier.enter_score - score),
                orders_missing=max(0, tier.enter_min_orders - row.frequency),
                revenue_missing=ZERO if revenue is None else max(ZERO, revenue - row.monetary),
            )
