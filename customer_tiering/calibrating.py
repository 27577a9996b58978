"""A ladder that gives wanted shares of customers, proposed from the reviews of a publication."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from io import StringIO
from math import ceil
from pathlib import Path
from typing import SupportsFloat

import numpy as np
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table

from customer_tiering.configuration import COMMAND_LINE, Configuration
from customer_tiering.errors import ConfigurationError, SourceError
from customer_tiering.language import Language, Words
from customer_tiering.replaying import (
    Limits,
    Reviews,
    hundredths,
    ladder_of,
    ladders_by_review,
    meets,
    read_reviews,
    replay,
    version_on,
)
from customer_tiering.reporting import heading, plain_table, reading_publication
from customer_tiering.seed_rules.score_weights import growth_room
from customer_tiering.seeds import Tier, did_you_mean

PROPOSAL = "tiers.proposed.csv"
REVIEWS_COUNTED = 4  # the newest closed ones
HIGHEST_LINE = 10_000  # 100 points, in hundredths as all lines here
# The search looks for lines among so many customers, then near those lines among all.
SEARCHED = 20_000
REFINED_BY = 100
MOST_SWEEPS = 10
SCORES_TRIED = 40
# Percentage points of all shares together. Ladders less than the first apart are equally near: then the
# rounder one is proposed. Fewer orders than the live ladder asks for must bring shares nearer by the second.
# A ladder that misses by more than the third is said to.
EQUALLY_NEAR = Fraction(1, 10)
WORTH_OTHER_ORDERS = Fraction(1, 2)
OUT_OF_REACH = Fraction(1)
ROUND_LINES = (100, 50, 10)
BINDING = {
    "enter_score": ("score line", "等级线"),
    "enter_min_orders": ("least orders", "最少订单数"),
    "enter_min_revenue": ("least revenue", "最低消费额"),
}


@dataclass(frozen=True)
class Calibration:
    """A proposed ladder and what it does.

    `proposed` and `live` are the tiers of the newest version, the lowest first; by rank, `wanted`, `reached`
    and `present` are per cent of those with a tier over the reviews that end on `counted`; `binding` is the
    rule that alone keeps most customers out at the newest review and how many, None where none does.
    `moves` are (tier now, tier under the proposal, customers) of those who would hold another.
    """

    live: list[Tier]
    proposed: list[Tier]
    counted: list[date]
    wanted: dict[int, Fraction]
    reached: dict[int, Fraction]
    present: dict[int, Fraction]
    binding: dict[int, tuple[str, int] | None]
    customers: int
    holders: int
    moves: list[tuple[int, int, int]]
    names: dict[int, Words]

    @property
    def missed(self) -> Fraction:
        """By how many percentage points the shares miss the wanted ones, all together."""
        return sum(
            (abs(share - self.reached[rank]) for rank, share in self.wanted.items()), Fraction()
        )


# -- What is wanted --------------------------------------------------------------------------------


def read_shares(text: str, ladder: Sequence[Tier]) -> dict[int, Fraction]:
    """Per cent of the customers with a tier by rank; the lowest tier takes the rest.

    Raises ConfigurationError when the text is not a share for each other tier of the ladder.
    """
    lowest, *others = ladder
    if not others:
        raise ConfigurationError("seeds/tiers.csv", "a single tier", "two or more to share among")
    rank_of = {tier.tier_code: tier.tier_rank for tier in others}
    names = ", ".join(rank_of)

    def refuse(found: str, allowed: str) -> ConfigurationError:
        return ConfigurationError(f"{COMMAND_LINE}, --shares", found, allowed)

    shares: dict[int, Fraction] = {}
    for part in text.split(","):
        code, _, share = (word.strip() for word in part.partition("="))
        if code == lowest.tier_code:
            raise refuse(f"{code}, the lowest tier", f"{names}: the lowest tier takes the rest")
        if code not in rank_of:
            found = f"tier {code!r}{did_you_mean(code, rank_of)}"
            raise refuse(found, f"each of {names} with its share, such as {others[-1].tier_code}=2")
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", share) or not Fraction(share):
            allowed = "per cent above 0 with at most 2 decimals, as in gold=20"
            raise refuse(f"share {share!r} of {code}", allowed)
        if rank_of[code] in shares:
            raise refuse(f"{code} more than once", "each tier once")
        shares[rank_of[code]] = Fraction(share)
    if missing := [code for code, rank in rank_of.items() if rank not in shares]:
        raise refuse(f"no share of {', '.join(missing)}", f"a share for each of {names}")
    total = sum(shares.values(), Fraction())
    if total >= 100:
        allowed = f"a sum below 100, so that something is left to {lowest.tier_code}"
        raise refuse(f"shares that sum to {_number(total)}", allowed)
    return {lowest.tier_rank: 100 - total, **dict(sorted(shares.items()))}


# -- The search ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What is searched for: score line and least orders to enter each tier but the lowest."""

    lines: tuple[int, ...]
    orders: tuple[int, ...]

    def with_line(self, place: int, line: int) -> _Plan:
        return _Plan((*self.lines[:place], line, *self.lines[place + 1 :]), self.orders)


class _Search:
    """Tries plans on the reviews of some customers; what was tried is known."""

    def __init__(
        self,
        reviews: Reviews,
        configuration: Configuration,
        wanted: dict[int, Fraction],
        counted: int,
    ) -> None:
        self.reviews = reviews
        self.settings = configuration.settings
        self.tiers = configuration.seeds.tiers
        self.live = newest_ladder(self.tiers)
        self.version = self.live[0].version_valid_from
        self.wanted = wanted
        self.counted = counted
        room = growth_room(configuration.seeds.score_weights, self.settings.score_profile)
        self.room = ceil(100 * room)
        self.tried: dict[_Plan, dict[int, Fraction] | None] = {}

    @cached_property
    def live_plan(self) -> _Plan:
        return _Plan(
            tuple(hundredths(tier.enter_score) for tier in self.live[1:]),
            tuple(tier.enter_min_orders or 0 for tier in self.live[1:]),
        )

    def proposed(self, plan: _Plan) -> list[Tier]:
        """The tiers of a plan. Keep lines stay as far below the enter lines as they are, or further for growth."""
        tiers = [self.live[0]]
        for tier, line, orders in zip(self.live[1:], plan.lines, plan.orders, strict=True):
            distance = max(hundredths(tier.enter_score - tier.keep_score), self.room)
            keep = max(line - distance, hundredths(tiers[-1].keep_score))
            changed: dict[str, object] = {
                "enter_score": _points(line),
                "keep_score": _points(keep),
            }
            if orders != (tier.enter_min_orders or 0):
                changed["enter_min_orders"] = orders
                changed["keep_min_orders"] = min(tier.keep_min_orders or 0, orders)
            tiers.append(tier.model_copy(update=changed))
        return tiers

    def replayed(self, tiers: Sequence[Tier], last: int) -> np.ndarray:
        """The ranks of the last reviews, were these the tiers of the newest version."""
        older = [tier for tier in self.tiers if tier.version_valid_from != self.version]
        ladders = ladders_by_review([*older, *tiers], self.reviews.period_ends)
        return replay(self.reviews, ladders, self.settings, last)

    def shares(self, plan: _Plan) -> dict[int, Fraction] | None:
        """Per cent of those with a tier by rank; None when nobody has one."""
        if plan not in self.tried:
            self.tried[plan] = shares_of(self.replayed(self.proposed(plan), self.counted))
        return self.tried[plan]

    def missed(self, plan: _Plan) -> Fraction:
        """By how many percentage points a plan misses what is wanted, all tiers together."""
        shares = self.shares(plan)
        if shares is None:
            return Fraction(200)
        return sum((abs(shares[rank] - share) for rank, share in self.wanted.items()), Fraction())

    def at_or_above(self, plan: _Plan, place: int) -> Fraction:
        """Per cent of those with a tier who hold the plan's tier at a place, or a higher one."""
        shares = self.shares(plan) or {}
        rank = self.live[place + 1].tier_rank
        return sum((share for of, share in shares.items() if of >= rank), Fraction())

    def bounds(self, lines: Sequence[int], place: int) -> tuple[int, int]:
        """The lines that a place may have between its neighbours, so that the ladder stays one."""
        lowest = self.live[0]
        first = max(hundredths(lowest.enter_score) + 1, hundredths(lowest.keep_score) + self.room)
        low = lines[place - 1] + 1 if place else first
        high = lines[place + 1] - 1 if place + 1 < len(lines) else HIGHEST_LINE
        return low, high

    def rising(self, lines: Sequence[int], orders: tuple[int, ...]) -> _Plan:
        """The nearest plan to lines that need not rise."""
        found: list[int] = []
        for place, line in enumerate(lines):
            low, _ = self.bounds(found, place)
            room_above = len(lines) - 1 - place
            found.append(min(max(line, low), HIGHEST_LINE - room_above))
        return _Plan(tuple(found), orders)

    def _scores_of_holders(self) -> np.ndarray:
        """Scores of those who hold a tier today, in the reviews that count."""
        return self.reviews.score[-self.counted :][self.reviews.tier_rank[-self.counted :] > 0]

    def start(self, orders: tuple[int, ...]) -> _Plan:
        """Lines at the quantiles of today's scores of those who hold a tier."""
        scores = np.sort(self._scores_of_holders())
        lines, above = [], Fraction(100)
        for tier in self.live[:-1]:
            above -= self.wanted[tier.tier_rank]
            lines.append(int(scores[min(int(len(scores) * (100 - above) / 100), len(scores) - 1)]))
        return self.rising(lines, orders)

    def fitted(self, plan: _Plan, reach: int = HIGHEST_LINE) -> _Plan:
        """Move line after line to where it misses least, until none moves, at most `reach` from where it was."""
        start = plan.lines
        for _ in range(MOST_SWEEPS):
            before = plan
            for place in range(len(start)):
                low, high = self.bounds(plan.lines, place)
                low, high = max(low, start[place] - reach), min(high, start[place] + reach)
                plan = self._line_fitted(plan, place, low, high)
            if plan == before:
                break
        return plan

    def _line_fitted(self, plan: _Plan, place: int, low: int, high: int) -> _Plan:
        """The line is best where its tier, the one below, or all from it up come to their share.

        Of lines that miss alike the one is taken at which all from its tier up come nearest: what a tier has too
        much is so handed down from line to line.
        """
        rank = self.live[place + 1].tier_rank
        above = self.at_or_above(plan, place + 1) if place + 2 < len(self.live) else Fraction()
        below = self.at_or_above(plan, place - 1) if place else Fraction(100)
        wanted = self._wanted_at_or_above(place)
        lines = {plan.lines[place]}
        for goal in {above + self.wanted[rank], below - self.wanted[rank - 1], wanted}:

            def is_within(line: int, goal: Fraction = goal) -> bool:
                return self.at_or_above(plan.with_line(place, line), place) <= goal

            first = _first(low, high, is_within)
            lines |= {line for line in (first - 1, first) if low <= line <= high}

        def far(tried: _Plan) -> tuple[Fraction, Fraction, int]:
            """How far a plan is from what is wanted, and from this one."""
            apart = abs(self.at_or_above(tried, place) - wanted)
            return self.missed(tried), apart, abs(tried.lines[place] - plan.lines[place])

        return min((plan.with_line(place, line) for line in sorted(lines)), key=far)

    def nearest(self, orders: tuple[int, ...]) -> _Plan:
        """The nearest plan with given least orders, sought from today's scores and from the live lines.

        Where many share one score no single line may move without missing by more: then all lines are also chosen
        together, from the scores that there are.
        """
        starts = (self.start(orders), self.rising(self.live_plan.lines, orders))
        plan = min((self.fitted(start) for start in starts), key=self.missed)
        if self.missed(plan) <= OUT_OF_REACH:
            return plan
        return min(plan, self.fitted(self.chosen_together(orders)), key=self.missed)

    def chosen_together(self, orders: tuple[int, ...]) -> _Plan:
        """Lines at scores that there are, as if no line had to do with another."""
        found = np.unique(self._scores_of_holders())
        if len(found) > SCORES_TRIED:
            found = found[np.linspace(0, len(found) - 1, SCORES_TRIED).astype(int)]
        scores = [*found.tolist(), HIGHEST_LINE]
        places = range(len(orders))

        # which scores the lines up to a place have, and by how much the tiers below it then miss
        best: list[tuple[Fraction, tuple[int, ...], Fraction]] = [(Fraction(), (), Fraction(100))]
        for place in places:
            wanted = self.wanted[self.live[place].tier_rank]
            tried = []
            for score in scores:
                lines = [*range(place), score, *(HIGHEST_LINE for _ in places[place + 1 :])]
                share = self.at_or_above(self.rising(lines, orders), place)
                missed, before = min(
                    (missed + abs(below - share - wanted), lines)
                    for missed, lines, below in best
                    if not lines or lines[-1] <= score
                )
                tried.append((missed, (*before, score), share))
            best = tried
        top = self.wanted[self.live[-1].tier_rank]
        _, chosen = min((missed + abs(share - top), lines) for missed, lines, share in best)
        lines = list(chosen)
        for place in reversed(places[:-1]):
            lines[place] = min(lines[place], lines[place + 1] - 1)
        return self.rising(lines, orders)

    def with_fewer_orders(self, plan: _Plan) -> _Plan:
        """From the lowest tier up, ask for fewer orders where no line lets enough customers in."""
        for place in range(len(plan.orders)):
            below = plan.orders[place - 1] if place else self.live[0].enter_min_orders or 0
            missing = self._wanted_at_or_above(place) - self.at_or_above(plan, place)
            if plan.orders[place] <= below or missing < WORTH_OTHER_ORDERS / 2:
                continue

            def with_orders(orders: int, plan: _Plan = plan, place: int = place) -> _Plan:
                kept = (*plan.orders[:place], orders, *plan.orders[place + 1 :])
                return self.nearest(kept)

            fewest = with_orders(max(below, 1))
            if self.missed(plan) - self.missed(fewest) < WORTH_OTHER_ORDERS:
                continue
            limit = self.missed(fewest) + WORTH_OTHER_ORDERS

            def is_too_many(
                orders: int,
                limit: Fraction = limit,
                with_orders: Callable[[int], _Plan] = with_orders,
            ) -> bool:
                return self.missed(with_orders(orders)) > limit

            too_many = _first(max(below, 1) + 1, plan.orders[place], is_too_many)
            plan = with_orders(too_many - 1)
        return plan

    def _wanted_at_or_above(self, place: int) -> Fraction:
        rank = self.live[place + 1].tier_rank
        return sum((share for of, share in self.wanted.items() if of >= rank), Fraction())

    def rounded(self, plan: _Plan) -> _Plan:
        """The same to a tenth of a point, with lines that are easier to read."""
        limit = self.missed(plan) + EQUALLY_NEAR
        for place, line in enumerate(plan.lines):
            low, high = self.bounds(plan.lines, place)
            below = [line // step * step for step in ROUND_LINES]
            rounder = [
                round_line
                for least, step in zip(below, ROUND_LINES, strict=True)
                for round_line in sorted(
                    (least, least + step), key=lambda round_line: abs(round_line - line)
                )
                if low <= round_line <= high
            ]
            tried = (plan.with_line(place, round_line) for round_line in rounder)
            plan = next((other for other in tried if self.missed(other) <= limit), plan)
        return plan


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number from low to high from which on it holds; one more than high when it never does."""
    while low <= high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle - 1
        else:
            low = middle + 1
    return low


def shares_of(ranks: np.ndarray) -> dict[int, Fraction] | None:
    """Per cent of those with a tier by rank, 1 to 10; None when nobody has one."""
    counts = {rank: int(np.count_nonzero(ranks == rank)) for rank in range(1, 11)}
    holders = sum(counts.values())
    if not holders:
        return None
    return {rank: Fraction(100 * count, holders) for rank, count in counts.items()}


def newest_ladder(tiers: Sequence[Tier]) -> list[Tier]:
    """The tiers of the newest version, the lowest first."""
    version = max(tier.version_valid_from for tier in tiers)
    ladder = [tier for tier in tiers if tier.version_valid_from == version]
    return sorted(ladder, key=lambda tier: tier.tier_rank)


# -- The proposal ----------------------------------------------------------------------------------


def calibrate(warehouse: Path, configuration: Configuration, shares: str) -> Calibration:
    """Propose a ladder whose shares over the last four closed reviews come nearest to the wanted ones.

    Raises ConfigurationError for shares that cannot be, or seeds and vars that are not those of the
    warehouse, and SourceError where there is no publication or nobody holds a tier.
    """
    wanted = read_shares(shares, newest_ladder(configuration.seeds.tiers))
    with reading_publication(warehouse) as connection:
        reviews = read_reviews(connection)
    return propose(reviews, configuration, wanted, str(warehouse))


def propose(
    reviews: Reviews, configuration: Configuration, wanted: dict[int, Fraction], where: str
) -> Calibration:
    """Propose a ladder for wanted shares by rank; `where` the reviews are from is named in errors."""
    tiers = configuration.seeds.tiers
    live = newest_ladder(tiers)
    version = live[0].version_valid_from
    ends = [end for end in reviews.period_ends if version_on(tiers, end) == version]
    if not ends:
        found = "no closed review"
        if reviews.period_ends:
            found += f" on or after {version}, from when the newest ladder of seeds/tiers.csv holds"
        raise ConfigurationError(where, found, "one closed review or more")
    counted = min(len(ends), REVIEWS_COUNTED)
    _check_rules(reviews, configuration)
    present = shares_of(reviews.tier_rank[-counted:])
    if present is None:
        found = f"nobody with a tier in the reviews from {ends[-counted]} to {ends[-1]}"
        raise SourceError(where, found, "customers with a tier")

    everybody = _Search(reviews, configuration, wanted, counted)
    plan = _searched(everybody, configuration)
    proposed = everybody.proposed(plan)
    ranks = everybody.replayed(proposed, counted)
    then, now = ranks[-1], reviews.tier_rank[-1]
    return Calibration(
        live=live,
        proposed=proposed,
        counted=ends[-counted:],
        wanted=wanted,
        reached=everybody.shares(plan) or {},
        present=present,
        binding={rule.rank: _binding(rule, reviews, then) for rule in ladder_of(proposed).enter},
        customers=len(now),
        holders=int(np.count_nonzero(now)),
        moves=_moves(now, then),
        names={
            0: Words("No tier", "无等级"),
            **{tier.tier_rank: Words(tier.label_en, tier.label_zh) for tier in tiers},
        },
    )


def _check_rules(reviews: Reviews, configuration: Configuration) -> None:
    """The rules in use must give the published tiers, or a replay under others says nothing."""
    ladders = ladders_by_review(configuration.seeds.tiers, reviews.period_ends)
    replayed = replay(reviews, ladders, configuration.settings, len(reviews.period_ends))
    differences = int(np.count_nonzero(replayed != reviews.tier_rank))
    if differences:
        where = "seeds/tiers.csv and the vars review_period and tier_*"
        found = f"rules that give another tier than was published in {differences:,} reviews"
        allowed = "the rules of the last refresh: give its --vars and --project, or refresh first"
        raise ConfigurationError(where, found, allowed)


def _searched(everybody: _Search, configuration: Configuration) -> _Plan:
    """The nearest plan: sought among some of the customers, then around it among all."""
    step = -(-everybody.reviews.customers // SEARCHED)
    search = everybody
    if step > 1:
        some = everybody.reviews.every(step)
        if shares_of(some.tier_rank[-everybody.counted :]):
            search = _Search(some, configuration, everybody.wanted, everybody.counted)
    plan = search.with_fewer_orders(search.nearest(search.live_plan.orders))
    if search is not everybody:
        plan = everybody.fitted(plan, REFINED_BY)
    return everybody.rounded(min(everybody.live_plan, plan, key=everybody.missed))


def _binding(rule: Limits, reviews: Reviews, ranks: np.ndarray) -> tuple[str, int] | None:
    """The rule whose removal alone would let most customers into a tier at the newest review, and how many."""
    without = {
        "enter_score": Limits(rule.rank, 0, rule.orders, rule.revenue),
        "enter_min_orders": Limits(rule.rank, rule.score, 0, rule.revenue),
        "enter_min_revenue": Limits(rule.rank, rule.score, rule.orders, None),
    }
    newest = (reviews.score[-1], reviews.orders[-1], reviews.revenue[-1])
    is_below = ranks < rule.rank
    let_in = {
        name: int(np.count_nonzero(meets(limits, *newest) & is_below))
        for name, limits in without.items()
    }
    name = max(let_in, key=lambda name: let_in[name])
    return (name, let_in[name]) if let_in[name] else None


def _moves(now: np.ndarray, then: np.ndarray) -> list[tuple[int, int, int]]:
    """How many customers move from which rank to which, the highest first."""
    pairs, counts = np.unique(np.stack([now, then]), axis=1, return_counts=True)
    moves = [
        (int(before), int(after), int(count))
        for before, after, count in zip(*pairs, counts, strict=True)
        if before != after
    ]
    return sorted(moves, key=lambda move: (-move[0], -move[1]))


def proposed_file(tiers: Sequence[Tier], proposed: Sequence[Tier]) -> str:
    """The text of a whole tiers.csv: the newest version is as proposed, older ones are as they were."""
    version = proposed[0].version_valid_from
    changed = {tier.tier_code: tier for tier in proposed}
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Tier.columns())
    for tier in tiers:
        if tier.version_valid_from == version:
            tier = changed[tier.tier_code]
        writer.writerow(getattr(tier, column) for column in Tier.columns())
    return text.getvalue()


def write_proposal(
    calibration: Calibration, configuration: Configuration, project: Path, out: Path | None
) -> Path:
    """Write the proposal as a whole tiers.csv beside the live one, and return where.

    Without `out` it is a file of the project's folder, which takes the place of an earlier proposal; no other
    file is written over. Raises ConfigurationError.
    """
    path = project / PROPOSAL if out is None else out
    where = f"{COMMAND_LINE}, --out {path}"
    text = proposed_file(configuration.seeds.tiers, calibration.proposed)
    if path.parent.resolve() == (project / "seeds").resolve():
        allowed = "a file outside of seeds/, where dbt would take it for a seed"
        raise ConfigurationError(where, "the folder of the seeds", allowed)
    try:
        if out is None:
            path.unlink(missing_ok=True)
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        allowed = "a file that is not there yet, as none is written over"
        raise ConfigurationError(where, "a file that is there", allowed) from None
    except OSError as error:
        found = f"a file that cannot be written ({error.strerror})"
        raise ConfigurationError(where, found, "a file in a folder that is there") from error
    return path


# -- What is shown ---------------------------------------------------------------------------------


def print_calibration(calibration: Calibration, console: Console, say: Language) -> None:
    """Print the proposal and what it would change, in a language."""
    reviews, last = len(calibration.counted), calibration.counted[-1]
    lower, higher = (f"{_moved(calibration.moves, way):,}" for way in (-1, 1))
    customers = f"{calibration.customers:,}"
    parts: list[Padding | Table] = [
        heading(
            say(
                f"Proposed ladder: shares of customers with a tier in {reviews} closed "
                f"review{'s' if reviews > 1 else ''} to {last}",
                f"建议的等级线：有等级客户的占比（截至 {last} 的 {reviews} 次评审）",
            )
        ),
        _ladder(calibration, say),
        *(heading(say(*note)) for note in _notes(calibration)),
        heading(
            say(
                "Which proposed rule alone keeps most customers out",
                "建议规则中哪条挡住的客户最多",
            )
        ),
        _binding_rules(calibration, say),
        heading(
            say(
                f"On {last} {lower} of {customers} customers would hold a lower tier, {higher} a higher one",
                f"{last}：{customers} 位客户中有 {lower} 位等级会降低，{higher} 位会提高",
            )
        ),
    ]
    if calibration.moves:
        table = plain_table(say("From", "从"), say("To", "到"), ">" + say("Customers", "客户数"))
        for before, after, count in calibration.moves:
            names = calibration.names
            table.add_row(say(*names[before]), say(*names[after]), f"{count:,}")
        parts.append(table)
    console.print(Group(*parts))


def _ladder(calibration: Calibration, say: Language) -> Table:
    columns = (
        *(say("Wanted", "目标"), say("Reached", "达到"), say("Now", "当前")),
        *(say("Enter", "进入"), say("Keep", "保持"), say("Orders", "订单数")),
    )
    table = plain_table(say("Tier", "等级"), *(f">{name}" for name in columns))
    for name, column in zip(("", *columns), table.columns, strict=True):
        column.no_wrap = name not in columns[3:5]  # what changes is long
    for live, tier in reversed(list(zip(calibration.live, calibration.proposed, strict=True))):
        table.add_row(
            say(tier.label_en, tier.label_zh),
            *(
                f"{float(shares[tier.tier_rank]):.1f} %"
                for shares in (calibration.wanted, calibration.reached, calibration.present)
            ),
            *(
                _changed(getattr(live, column), getattr(tier, column))
                for column in ("enter_score", "keep_score", "enter_min_orders")
            ),
        )
    return table


def _binding_rules(calibration: Calibration, say: Language) -> Table:
    names = (say("Tier", "等级"), say("Rule", "规则"), ">" + say("Customers", "客户数"))
    table = plain_table(*names)
    for tier in reversed(calibration.proposed):
        if binding := calibration.binding[tier.tier_rank]:
            rule, customers = binding
            label = say(tier.label_en, tier.label_zh)
            table.add_row(label, say(*BINDING[rule]), f"{customers:,}")
    return table


def _changed(before: SupportsFloat | None, after: SupportsFloat | None) -> str:
    if before == after:
        return _number(after)
    return f"{_number(before)} → {_number(after)}"


def _number(value: SupportsFloat | None) -> str:
    """A number without needless zeros; nothing for None."""
    return "" if value is None else f"{float(value):g}"


def _notes(calibration: Calibration) -> list[tuple[str, str]]:
    """What to know before the proposal is believed, English and Chinese."""
    notes = []
    if calibration.missed > OUT_OF_REACH:
        missed = f"{float(calibration.missed):.1f}"
        notes.append(
            (
                f"No ladder was found that comes nearer: the shares miss by {missed} percentage points together. "
                "No score line parts customers of one score; where orders or revenue keep most out, change "
                "that rule.",
                f"未找到更接近的等级线：各占比合计相差 {missed} 个百分点。",
            )
        )
    if len(calibration.counted) < REVIEWS_COUNTED:
        notes.append(
            (
                f"The newest ladder has only {len(calibration.counted)} closed reviews: hold and grace still keep "
                "customers where they were, and shares will move on.",
                "最新等级线下已完结的评审不足四次：保护期与宽限期仍在起作用，占比还会变化。",
            )
        )
    if calibration.holders * min(calibration.wanted.values()) < 100:
        notes.append(
            (
                f"Only {calibration.holders:,} customers hold a tier: one of them is more than the smallest share.",
                "有等级的客户过少：一位客户已超过最小的占比。",
            )
        )
    return notes


def _moved(moves: Sequence[tuple[int, int, int]], direction: int) -> int:
    return sum(count for before, after, count in moves if (after - before) * direction > 0)


def _points(line: int) -> Decimal:
    return Decimal(line) / 100
