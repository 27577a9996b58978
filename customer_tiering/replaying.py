"""The state machine of tiers over all closed reviews at once, for ladders that nobody has built with.

Rules and order are those of models/intermediate/tiers; here they are written for arrays, as a search
for a ladder asks for hundreds of replays. The ladder in use must give the tiers of customer_periods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import numpy as np

from customer_tiering.configuration import Settings
from customer_tiering.queries import query
from customer_tiering.seeds import Tier

CHUNK = 32_768  # customers replayed together: their arrays fit the processor's cache
WITHOUT_ORDERS = -1  # in place of a score

_REVIEW = "select * exclude (period_end) from replayed_reviews where period_end = $period_end"


@dataclass(frozen=True)
class Reviews:
    """All closed reviews: a row of each array is a period in order, a column a customer.

    Scores are in hundredths of a point, WITHOUT_ORDERS where no valid order is left or the first is
    yet to come; revenue is in hundredths of the reporting currency. `tier_rank` is what was published.
    """

    period_starts: list[date]
    period_ends: list[date]
    score: np.ndarray
    orders: np.ndarray
    revenue: np.ndarray
    tier_rank: np.ndarray

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.score.shape[1])

    def every(self, step: int) -> Reviews:
        """The same reviews of every so manyeth customer."""
        arrays = (self.score, self.orders, self.revenue, self.tier_rank)
        some = (np.ascontiguousarray(array[:, ::step]) for array in arrays)
        return Reviews(self.period_starts, self.period_ends, *some)


def read_reviews(connection: duckdb.DuckDBPyConnection) -> Reviews:
    """Read the closed reviews of a publication."""
    periods = connection.execute(
        "select period_start, period_end from marts.review_periods "
        "where not is_open_period order by period_end"
    ).fetchall()
    newest = periods[-1][1] if periods else None
    connection.execute(
        f"create or replace temp table replayed_reviews as {query('replayed_reviews')}",
        {"newest": newest, "without_orders": WITHOUT_ORDERS},
    )
    customers = connection.execute(
        "select count(*) from replayed_reviews where period_end = $newest", {"newest": newest}
    ).fetchall()[0][0]
    shape = (len(periods), customers)
    score = np.full(shape, WITHOUT_ORDERS, np.int16)
    orders = np.zeros(shape, np.int32)
    revenue = np.zeros(shape, np.int64)
    tier_rank = np.zeros(shape, np.int8)
    for row, (_, period_end) in enumerate(periods):
        read = connection.execute(_REVIEW, {"period_end": period_end}).fetchnumpy()
        for name, array in (
            ("score", score),
            ("orders", orders),
            ("revenue", revenue),
            ("tier_rank", tier_rank),
        ):
            array[row, read["place"]] = read[name]
    starts, ends = ([period[i] for period in periods] for i in (0, 1))
    return Reviews(starts, ends, score, orders, revenue, tier_rank)


@dataclass(frozen=True)
class Limits:
    """A rule to enter or keep a tier: least score, orders and revenue, None for no limit."""

    rank: int
    score: int
    orders: int
    revenue: int | None


@dataclass(frozen=True)
class Ladder:
    """The rules of one version, the lowest rank first."""

    enter: list[Limits]
    keep: list[Limits]


def hundredths(value: Decimal) -> int:
    """A number with two decimals as a whole number of hundredths."""
    return int(100 * value)


def ladder_of(tiers: Sequence[Tier]) -> Ladder:
    """The ladder of the tiers of one version."""

    def limits(rule: str) -> list[Limits]:
        return [
            Limits(
                rank=tier.tier_rank,
                score=hundredths(getattr(tier, f"{rule}_score")),
                orders=getattr(tier, f"{rule}_min_orders") or 0,
                revenue=None
                if (least := getattr(tier, f"{rule}_min_revenue")) is None
                else hundredths(least),
            )
            for tier in sorted(tiers, key=lambda tier: tier.tier_rank)
        ]

    return Ladder(enter=limits("enter"), keep=limits("keep"))


def version_on(tiers: Sequence[Tier], day: date) -> date:
    """The version of the rules that a review on a day uses: before the first one, the first."""
    versions = {tier.version_valid_from for tier in tiers}
    return max((version for version in versions if version <= day), default=min(versions))


def ladders_by_review(tiers: Sequence[Tier], period_ends: Sequence[date]) -> list[Ladder]:
    """The ladder of each review."""
    ladders = {
        version: ladder_of([tier for tier in tiers if tier.version_valid_from == version])
        for version in {tier.version_valid_from for tier in tiers}
    }
    return [ladders[version_on(tiers, end)] for end in period_ends]


def replay(
    reviews: Reviews, ladders: Sequence[Ladder], settings: Settings, last: int
) -> np.ndarray:
    """The rank of every customer after each of the last reviews, from replaying all of them."""
    periods = [
        _Period(start, end, settings)
        for start, end in zip(reviews.period_starts, reviews.period_ends, strict=True)
    ]
    ranks = np.zeros((last, reviews.customers), np.int8)
    first_shown = len(periods) - last
    for begin in range(0, reviews.customers, CHUNK):
        part = slice(begin, begin + CHUNK)
        state = _State(len(ranks[0, part]), settings)
        for number, (period, ladder) in enumerate(zip(periods, ladders, strict=True)):
            score = reviews.score[number, part]
            met = (score, reviews.orders[number, part], reviews.revenue[number, part])
            qualified = highest_rank(ladder.enter, *met)
            kept = np.maximum(qualified, highest_rank(ladder.keep, *met))
            state.review(qualified, kept, score != WITHOUT_ORDERS, period)
            if number >= first_shown:
                ranks[number - first_shown, part] = state.rank
    return ranks


def meets(limits: Limits, score: np.ndarray, orders: np.ndarray, revenue: np.ndarray) -> np.ndarray:
    """Who meets a rule."""
    met = score >= limits.score
    if limits.orders:
        met &= orders >= limits.orders
    if limits.revenue is not None:
        met &= revenue >= limits.revenue
    return met


def highest_rank(
    rules: Sequence[Limits], score: np.ndarray, orders: np.ndarray, revenue: np.ndarray
) -> np.ndarray:
    """The highest rank whose rule is met; 0 for none."""
    rank = np.zeros(len(score), np.int8)
    for limits in rules:
        met = meets(limits, score, orders, revenue)
        np.maximum(rank, met.view(np.int8) * np.int8(limits.rank), out=rank)
    return rank


class _Period:
    """What a review's date means for downgrades: whether it, and for which month_days, may take a tier."""

    def __init__(self, start: date, end: date, settings: Settings) -> None:
        before = start - timedelta(days=1)
        next_end = end + timedelta(days=7 if settings.review_period == "week" else 1)
        self.month_day = _month_day(end)
        # anniversaries of a tier reached on 29 February fall on the 28th
        self.since_month_day = 228 if self.month_day == 229 else self.month_day
        self.may_downgrade: Callable[[np.ndarray], np.ndarray | bool] = lambda since: True
        if settings.tier_validity == "calendar_year":
            is_last_of_year = next_end.year > end.year
            self.may_downgrade = lambda since: is_last_of_year
        elif settings.tier_validity == "anniversary":
            after, until = _month_day(before), self.month_day
            if end.year > before.year:
                self.may_downgrade = lambda since: (since > after) | (since <= until)
            else:
                self.may_downgrade = lambda since: (since > after) & (since <= until)


def _month_day(day: date) -> int:
    return 100 * day.month + day.day


class _State:
    """What one review hands to the next. Rank 0: no tier."""

    def __init__(self, customers: int, settings: Settings) -> None:
        self.rank: np.ndarray = np.zeros(customers, np.int8)
        self.reviews_held = np.zeros(customers, np.int16)
        self.grace = np.zeros(customers, np.int16)
        self.since = np.zeros(customers, np.int16)
        self.settings = settings

    def review(
        self, qualified: np.ndarray, kept: np.ndarray, has_orders: np.ndarray, period: _Period
    ) -> None:
        rank, settings = self.rank, self.settings
        rises = qualified > rank
        is_below = has_orders & (kept < rank)
        is_at_stake = is_below & period.may_downgrade(self.since)
        is_past_hold = is_at_stake & (self.reviews_held >= settings.tier_min_hold_periods)
        falls = is_past_hold & (self.grace >= settings.tier_grace_periods)
        lower = kept if settings.tier_downgrade == "straight" else rank - np.int8(1)

        # products with conditions: many times as fast as np.where
        after = rank + rises * (qualified - rank) - falls * (rank - lower)
        after *= has_orders
        changes = after != rank
        has_tier = after > 0
        self.reviews_held = (self.reviews_held + np.int16(1)) * (has_tier & ~(rises | falls))
        self.reviews_held += (falls & has_tier) * np.int16(settings.tier_min_hold_periods)
        # grace that is used up stands while nothing may be taken, and ends with the tier
        self.grace = (self.grace + (is_past_hold & ~falls)) * (is_below & ~falls)
        self.since = self.since * ~changes + changes * np.int16(period.since_month_day)
        self.rank = after
