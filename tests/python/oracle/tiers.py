"""Tiers: qualification, the state machine of reviews, and the reason of every change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from oracle.habits import Habits
from oracle.lifecycle import Lifecycle
from oracle.money import LedgerRow
from oracle.periods import Period, following, previous_period_end
from oracle.rfm import LAPSED, PROSPECT, PROSPECT_SCORES, Measures, RfmScores
from oracle.rules import Ladder, Rules
from oracle.scores import INTERACTION_INPUTS, SIGNAL_POINTS, Weights, input_values

NO_HABITS = Habits()
NO_WEIGHTS = Weights({}, {}, {}, Decimal(0), {})
UP, DOWN = 1, -1


@dataclass(frozen=True)
class TierState:
    """What one closed review hands to the next. Rank 0: no tier."""

    tier_rank: int = 0
    reviews_held: int = 0
    grace: int = 0
    tier_since: date | None = None
    previous_rank: int = 0
    has_held_tier: bool = False

    def moved_to(self, rank: int, period_end: date, reviews_held: int = 0) -> TierState:
        """The state after a change of tier."""
        return TierState(
            tier_rank=rank,
            reviews_held=reviews_held if rank else 0,
            grace=0,
            tier_since=period_end if rank else None,
            previous_rank=self.tier_rank,
            has_held_tier=True,
        )


@dataclass(slots=True)
class CustomerPeriod:
    """A customer at a period end: everything from the measures to the tier.

    ``values``, ``weights`` and ``points`` speak of the inputs; scores, stars and coverage are None
    for a prospect. ``reviews_held`` and ``grace`` are those after the review (an open period: of the last
    closed review). ``reference`` is the review that the reason compares with. ``lifecycle`` is None until everybody's segment in the period is known.
    """

    customer_id: str
    period: Period
    measures: Measures
    rfm: RfmScores = PROSPECT_SCORES
    values: dict[str, Decimal] = field(default_factory=dict)
    weights: Weights = NO_WEIGHTS
    components: dict[str, Decimal] = field(default_factory=dict)
    management_score: Decimal | None = None
    score_coverage: Decimal | None = None
    star_rating: int | None = None
    habits: Habits = NO_HABITS
    lifecycle: Lifecycle | None = None
    q: int = 0
    k: int = 0
    state: TierState = TierState()
    change_type: str | None = None
    reason_code: str | None = None
    reference: CustomerPeriod | None = None

    def points(self, name: str) -> Decimal:
        """Points of an input; an unknown one has none."""
        if name not in self.values:
            return Decimal(0)
        return self.weights.effective.get(name, Decimal(0)) * self.values[name]


# -- Qualification ---------------------------------------------------------------------------------


def qualify(ladder: Ladder, row: CustomerPeriod) -> tuple[int, int]:
    """q and k: the highest rank that the customer enters, and that it enters or keeps."""
    if row.measures.status == PROSPECT or row.management_score is None:
        return 0, 0
    enters = [tier.tier_rank for tier in ladder.tiers if _meets(row, tier, "enter")]
    keeps = [tier.tier_rank for tier in ladder.tiers if _meets(row, tier, "keep")]
    return max(enters, default=0), max(enters + keeps, default=0)


def _meets(row: CustomerPeriod, tier: object, rule: str) -> bool:
    min_revenue = getattr(tier, f"{rule}_min_revenue")
    return (
        row.management_score >= getattr(tier, f"{rule}_score")
        and row.measures.frequency >= getattr(tier, f"{rule}_min_orders")
        and (min_revenue is None or row.measures.monetary >= min_revenue)
    )


# -- One review ------------------------------------------------------------------------------------


def review(
    state: TierState, q: int, k: int, has_valid_orders: bool, period: Period, rules: Rules
) -> tuple[str | None, TierState]:
    """Change type and state after the review of a closed period."""
    rank, period_end = state.tier_rank, period.period_end
    change = _immediate_change(state, q, has_valid_orders, period_end)
    if change is not None:
        return change
    if rank == 0:
        return None, state
    older = replace(state, reviews_held=state.reviews_held + 1)
    if k >= rank:
        return "keep", replace(older, grace=0)
    if not may_downgrade(state.tier_since, period, rules):
        return "keep", older
    if state.reviews_held < rules.tier_min_hold_periods:
        return "protected", older
    if state.grace < rules.tier_grace_periods:
        return "grace", replace(older, grace=state.grace + 1)
    lower = rank - 1 if rules.tier_downgrade == "one_level" else k
    moved = state.moved_to(lower, period_end, reviews_held=rules.tier_min_hold_periods)
    return ("downgrade" if lower else "leave"), moved


def provisional_review(
    state: TierState, q: int, has_valid_orders: bool, period: Period
) -> tuple[str | None, TierState]:
    """Change type and state shown in an open period; nothing follows from it.

    The counts of hold and grace stay those of the last closed review.
    """
    change = _immediate_change(state, q, has_valid_orders, period.period_end)
    if change is not None:
        change_type, moved = change
        return change_type, replace(moved, reviews_held=state.reviews_held, grace=state.grace)
    return ("keep" if state.tier_rank else None), state


def _immediate_change(
    state: TierState, q: int, has_valid_orders: bool, period_end: date
) -> tuple[str | None, TierState] | None:
    """Leaving for want of valid orders, entering and upgrading, which no policy delays."""
    if not has_valid_orders:
        return ("leave", state.moved_to(0, period_end)) if state.tier_rank else (None, state)
    if q > state.tier_rank:
        return ("upgrade" if state.tier_rank else "enter"), state.moved_to(q, period_end)
    return None


def may_downgrade(tier_since: date, period: Period, rules: Rules) -> bool:
    """Whether the var tier_validity lets this review take a tier away."""
    if rules.tier_validity == "calendar_year":
        next_end = following(period, rules.review_period).calendar_end
        return next_end.year > period.period_end.year
    if rules.tier_validity == "anniversary":
        return any(
            previous_period_end(period) < anniversary(tier_since, year) <= period.period_end
            for year in range(period.period_start.year, period.period_end.year + 1)
            if year > tier_since.year
        )
    return True


def anniversary(day: date, year: int) -> date:
    """The day's anniversary in a year; 29 February counts as the 28th."""
    return day.replace(year=year, day=28 if (day.month, day.day) == (2, 29) else day.day)


# -- All reviews of a customer ---------------------------------------------------------------------


def sweep(rows: Sequence[CustomerPeriod], ledger: Sequence[LedgerRow], rules: Rules) -> None:
    """Review one customer's periods in order; the rows receive state, change and reason."""
    state, reference = TierState(), None
    for row in rows:
        ladder = rules.ladder_on(row.period.period_end)
        row.q, row.k = qualify(ladder, row)
        row.change_type, row.state = _step(row, state, row.q, row.k, rules)
        row.reference = reference
        row.reason_code = _reason_code(row, state, reference, ledger, rules)
        if not row.period.is_open_period:
            if row.state.tier_rank and row.k >= state.tier_rank:
                reference = row
            state = row.state


def _step(
    row: CustomerPeriod, state: TierState, q: int, k: int, rules: Rules
) -> tuple[str | None, TierState]:
    has_valid_orders = row.measures.status != PROSPECT
    if row.period.is_open_period:
        return provisional_review(state, q, has_valid_orders, row.period)
    return review(state, q, k, has_valid_orders, row.period, rules)


# -- Reasons ---------------------------------------------------------------------------------------


def _reason_code(
    row: CustomerPeriod,
    before: TierState,
    reference: CustomerPeriod | None,
    ledger: Sequence[LedgerRow],
    rules: Rules,
) -> str | None:
    """Why the review came out as it did; None for keep and without a tier.

    ``before`` is the state before the review, ``reference`` the last closed review that gave a tier or
    at which the keep rule of the tier held before it was met.
    """
    if row.change_type in (None, "keep"):
        return None
    if row.change_type == "enter":
        return "return_order" if before.has_held_tier else "first_order"
    if row.change_type == "leave" and row.measures.status == PROSPECT:
        return "orders_undone"
    if row.change_type == "leave" and row.measures.status == LAPSED:
        return "inactivity"
    if _old_rules_differ(row, before, reference, rules):
        return "rule_change"
    return _moved_input(row, reference, ledger, rules)


def _old_rules_differ(
    row: CustomerPeriod, before: TierState, reference: CustomerPeriod, rules: Rules
) -> bool:
    """Whether the reference's rules, applied now, would give another tier or change."""
    old = rules.ladder_on(reference.period.period_end)
    if old == rules.ladder_on(row.period.period_end):
        return False
    change_type, state = _step(row, before, *qualify(old, row), rules)
    return (change_type, state.tier_rank) != (row.change_type, row.state.tier_rank)


def _moved_input(
    row: CustomerPeriod, reference: CustomerPeriod, ledger: Sequence[LedgerRow], rules: Rules
) -> str:
    """The input whose points, with its own measure, moved most in the direction of the change."""
    direction = UP if row.change_type == "upgrade" else DOWN
    moves = {
        name: direction * _points_moved(name, reference, row)
        for component in rules.components
        for name, _ in component.inputs
        if direction * own_move(name, reference, row) > 0
    }
    moves = {name: move for name, move in moves.items() if move > 0}
    if not moves:
        return "relative_position"
    name = max(moves, key=lambda name: moves[name])
    if name == "monetary" and direction == DOWN and _is_refund(row, reference, ledger):
        return "refund"
    return f"{name}_{'up' if direction == UP else 'down'}"


def _points_moved(name: str, reference: CustomerPeriod, row: CustomerPeriod) -> Decimal:
    """Points gained; of interactions by the weight of now, as a rising weight is no behaviour."""
    if name in INTERACTION_INPUTS:
        weight = row.weights.effective.get(name, Decimal(0))
        return weight * (row.values[name] - reference.values[name])
    return row.points(name) - reference.points(name)


def own_move(name: str, reference: CustomerPeriod, row: CustomerPeriod) -> int:
    """1 or -1 as the customer's own measure rose or fell, 0 if it did not or was unknown."""
    if name not in reference.values or name not in row.values:
        return 0
    if name == "revenue_trend" or name in SIGNAL_POINTS:  # the published value, to two decimals
        then, now = reference.values[name], row.values[name]
    else:
        then, now = (input_values(at.measures)[name] for at in (reference, row))
    move = (now > then) - (now < then)
    return -move if name == "recency" else move


def _is_refund(row: CustomerPeriod, reference: CustomerPeriod, ledger: Sequence[LedgerRow]) -> bool:
    """Whether refunds that became known since the reference exceed half the fall in revenue."""
    since, until = reference.period.period_end, row.period.period_end
    refunded = sum(
        entry.refunded
        for entry in ledger
        if since < entry.known_date <= until and entry.known_date > entry.order_date
    )
    return 2 * refunded > reference.measures.monetary - row.measures.monetary
