"""Lifecycle: a customer's own rhythm of buying, and the stage that silence or a return means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from oracle.money import LedgerRow
from oracle.rules import Rules


@dataclass(frozen=True)
class Rhythm:
    """The valid order days of a customer at a period end, and the gaps between them, in days.

    ``last_gap_days`` is the newest gap and ``median_gap_days`` the median of all of them (a
    multiple of 0.5); both are None under two order days.
    """

    order_days: int = 0
    last_gap_days: int | None = None
    median_gap_days: Decimal | None = None

    @property
    def gaps(self) -> int:
        """Number of gaps."""
        return max(self.order_days - 1, 0)


@dataclass(frozen=True)
class Lifecycle:
    """int_lifecycle_stages. ``expected_gap_days`` is None for a prospect.

    ``has_own_gap`` says whether the expected gap is the customer's own.
    """

    lifecycle_stage: str
    order_days: int
    last_gap_days: int | None
    expected_gap_days: Decimal | None
    has_own_gap: bool


# -- The rhythm of one customer --------------------------------------------------------------------


def rhythms(ledger: Iterable[LedgerRow], period_ends: Iterable[date]) -> Iterator[Rhythm]:
    """The rhythm of one customer at every period end; these are in order.

    A date with orders is an order day as long as what is known leaves an order on it.
    """
    facts = sorted(ledger, key=lambda row: row.known_date, reverse=True)
    orders_on: dict[date, int] = defaultdict(int)
    rhythm = Rhythm()
    for period_end in period_ends:
        is_changed = False
        while facts and facts[-1].known_date <= period_end:
            fact = facts.pop()
            orders_on[fact.order_date] += fact.orders_delta
            is_changed = True
        if is_changed:
            rhythm = _rhythm(sorted(day for day, orders in orders_on.items() if orders > 0))
        yield rhythm


def _rhythm(days: Sequence[date]) -> Rhythm:
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return Rhythm(len(days), gaps[-1] if gaps else None, median(gaps))


def median(values: Iterable[int | Decimal]) -> Decimal | None:
    """The middle value, of an even number the mean of the two middle ones; None without any."""
    ordered = sorted(values)
    if not ordered:
        return None
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return Decimal(low + high) / 2


# -- Everybody in one period -----------------------------------------------------------------------


def lifecycles(
    rhythm_of: Mapping[str, Rhythm],
    recency_of: Mapping[str, int | None],
    segment_of: Mapping[str, str],
    rules: Rules,
) -> dict[str, Lifecycle]:
    """The lifecycle of everybody in a period, by customer.

    Recency is in days, None for prospects. Raises StopIteration when no rule matches.
    """
    expected_of = expected_gaps(rhythm_of, segment_of, rules)
    return {
        customer_id: Lifecycle(
            lifecycle_stage=stage(rhythm, recency_of[customer_id], expected_of[customer_id], rules),
            order_days=rhythm.order_days,
            last_gap_days=rhythm.last_gap_days,
            expected_gap_days=expected_of[customer_id],
            has_own_gap=has_own_gap(rhythm, rules),
        )
        for customer_id, rhythm in rhythm_of.items()
    }


def has_own_gap(rhythm: Rhythm, rules: Rules) -> bool:
    """Whether there are enough gaps for a rhythm of one's own."""
    return rhythm.gaps >= rules.lifecycle_min_gaps


def expected_gaps(
    rhythm_of: Mapping[str, Rhythm], segment_of: Mapping[str, str], rules: Rules
) -> dict[str, Decimal | None]:
    """Days that pass between two order days as a rule, by customer; None for prospects.

    The own median gap; without enough gaps the median of those of the same segment, else of
    everybody in the period, else the default.
    """
    own = {
        customer_id: rhythm.median_gap_days
        for customer_id, rhythm in rhythm_of.items()
        if has_own_gap(rhythm, rules)
    }
    gaps_of_segment: dict[str, list[Decimal]] = defaultdict(list)
    for customer_id, gap in own.items():
        gaps_of_segment[segment_of[customer_id]].append(gap)
    of_segment = {segment: median(gaps) for segment, gaps in gaps_of_segment.items()}
    of_everybody = median(own.values())
    if of_everybody is None:
        of_everybody = Decimal(rules.lifecycle_default_gap_days)

    def expected(customer_id: str, rhythm: Rhythm) -> Decimal | None:
        if rhythm.order_days == 0:
            return None
        if customer_id in own:
            return own[customer_id]
        return of_segment.get(segment_of[customer_id], of_everybody)

    return {customer_id: expected(customer_id, rhythm) for customer_id, rhythm in rhythm_of.items()}


def stage(
    rhythm: Rhythm, recency_days: int | None, expected_gap_days: Decimal | None, rules: Rules
) -> str:
    """Stage of the first rule that matches. Raises StopIteration when none does."""
    return next(
        rule.lifecycle_stage
        for rule in rules.lifecycle
        if rule.matches(rhythm.order_days, recency_days, rhythm.last_gap_days, expected_gap_days)
    )
