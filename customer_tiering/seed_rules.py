"""What the rows of the seeds must be together: complete, ordered, summing to one.

Every finding is one sentence: file and line, what was found, what is allowed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

from customer_tiering.errors import BrokenRulesError, ConfigurationError
from customer_tiering.seeds import (
    BANDS,
    EXPORT_SOURCES,
    ORDER_STATUSES,
    PERSONAL_SOURCES,
    SEGMENT_MAPS,
    AgeBand,
    CellRange,
    CodeLabel,
    ExportColumn,
    LifecycleRule,
    OrderStatus,
    PlaybookEntry,
    RfmBand,
    RfmFixedEdges,
    RfmSegment,
    Row,
    ScoreWeight,
    SeedRow,
    Seeds,
    StarRating,
    Tier,
    did_you_mean,
)

GROWTH_SWING = 50  # points that growth's score may fall from its neutral middle
TIERLESS = "none"  # the tier_code of customers without a tier
NO_ACTION = "none"  # the action of those for whom nothing is due

COMPONENT_INPUTS = {
    "value": ("recency", "frequency", "monetary", "contribution", "balance"),
    "growth": ("revenue_trend", "new_categories"),
    "loyalty": ("repeat_rate", "tenure", "referrals"),
    "satisfaction": ("nps", "csat", "complaints"),
    "engagement": ("active_days", "channels", "usage_time"),
    "partnership": ("categories", "demand_breadth", "contact_regularity"),
}
# What orders alone always give. (categories needs order items too.)
ORDER_INPUTS = {
    "recency",
    "frequency",
    "monetary",
    "contribution",
    "revenue_trend",
    "repeat_rate",
    "tenure",
}
# As many places as macros/lifecycle_rules.sql has.
MOST_LIFECYCLE_RULES = 12
VALUE_LED_PROFILES = ("b2b", "finance", "subscription")
ZOHO = "zoho"
MOST_ZOHO_COLUMNS = 200  # of a file of Zoho CRM's bulk write
CELLS = tuple(product(range(1, 6), range(1, 6), range(1, 6)))

Findings = Iterator[ConfigurationError]


def check_seeds(seeds: Seeds, profile: str) -> None:
    """Check the seeds as wholes, and those that depend on each other; `profile` is the score profile in use.

    Raises BrokenRulesError, or ConfigurationError where a single rule does not hold.
    """
    _raise(_findings(seeds, profile))


def _findings(seeds: Seeds, profile: str) -> Findings:
    yield from _check_tiers(seeds.tiers)
    of_weights = list(_check_score_weights(seeds.score_weights))
    yield from of_weights
    if not of_weights and profile in seeds.profiles:
        yield from _check_growth(seeds.score_weights, seeds.tiers, profile)
    yield from _check_segments(seeds.rfm_segments)
    yield from _check_bands(seeds.rfm_bands)
    yield from _check_fixed_edges(seeds.rfm_fixed_edges)
    yield from _check_star_ratings(seeds.star_ratings)
    yield from _check_lifecycle(seeds.lifecycle)
    yield from _check_alert_rules(seeds)
    yield from _check_playbook(seeds)
    yield from _check_age_bands(seeds.age_bands)
    yield from _check_order_statuses(seeds.order_statuses)
    yield from _check_unique("nobody_words", seeds.nobody_words, "word")
    yield from _check_unique("sales_channels", seeds.sales_channels, "channel")
    yield from _check_export_columns(seeds.export_columns)
    yield from _check_code_labels(seeds.code_labels)


def _raise(findings: Findings) -> None:
    found = list(findings)
    if len(found) == 1:
        raise found[0]
    if found:
        raise BrokenRulesError(found)


def _finding(
    seed: str, rows: SeedRow | Sequence[SeedRow] | None, found: str, allowed: str
) -> ConfigurationError:
    """What is wrong with a row, or with the lines that a group of rows spans, or with the file."""
    where = f"seeds/{seed}.csv"
    if isinstance(rows, SeedRow):
        where += f", line {rows.line}"
    elif rows:
        where += f", lines {min(r.line for r in rows)} to {max(r.line for r in rows)}"
    return ConfigurationError(where, found, allowed)


def _grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, column) for column in columns)].append(row)
    return dict(groups)


def _check_unique(seed: str, rows: list[Row], column: str) -> Findings:
    """Each value of a column once, whatever its case."""
    seen: dict[str, SeedRow] = {}
    for row in rows:
        value = str(getattr(row, column))
        if (first := seen.setdefault(value.lower(), row)) is not row:
            found = f"{column} {value!r} again (it is on line {first.line} too)"
            yield _finding(seed, row, found, f"each {column} once, whatever its case")


def _check_tiers(tiers: list[Tier]) -> Findings:
    for row in tiers:
        if row.tier_code == TIERLESS:
            allowed = f"any other code, as {TIERLESS} stands for customers without a tier"
            yield _finding("tiers", row, f"tier_code '{TIERLESS}'", allowed)
    for (version,), ladder in _grouped(tiers, "version_valid_from").items():
        yield from _check_ladder(version, ladder)
    # A rule version may add or drop tiers, but history compares ranks across versions.
    rank_of: dict[str, Tier] = {}
    code_of: dict[int, Tier] = {}
    for row in tiers:
        by_code = rank_of.setdefault(row.tier_code, row)
        by_rank = code_of.setdefault(row.tier_rank, row)
        if by_code.tier_rank != row.tier_rank or by_rank.tier_code != row.tier_code:
            other = by_code if by_code.tier_rank != row.tier_rank else by_rank
            found = (
                f"tier_code {row.tier_code} with tier_rank {row.tier_rank} "
                f"(line {other.line} pairs {other.tier_code} with {other.tier_rank})"
            )
            yield _finding(
                "tiers", row, found, "the same pairs of tier_code and tier_rank in all versions"
            )


def _check_ladder(version: date, ladder: list[Tier]) -> Findings:
    """One version: ranks 1 to n, and each tier harder to reach than the one below, and no easier to keep."""
    for column in ("tier_code", "tier_rank"):
        for (value,), rows in _grouped(ladder, column).items():
            if len(rows) > 1:
                found = f"{column} {value} again in version {version}"
                yield _finding("tiers", rows[1], found, f"each {column} once in a version")
                return
    ladder = sorted(ladder, key=lambda row: row.tier_rank)
    for rank, row in enumerate(ladder, start=1):
        if row.tier_rank != rank:
            found = f"tier_rank {row.tier_rank} without a tier_rank {rank} in version {version}"
            yield _finding("tiers", row, found, "ranks from 1 without gaps in each version")
            return
    for row in ladder:
        for keep, enter in (
            ("keep_score", "enter_score"),
            ("keep_min_orders", "enter_min_orders"),
            ("keep_min_revenue", "enter_min_revenue"),
        ):
            if _limit(row, keep) > _limit(row, enter):
                found = f"{keep} {getattr(row, keep)} above {enter} {_shown(row, enter)}"
                yield _finding("tiers", row, found, f"a {keep} of at most {enter}")
    for low, high in pairwise(ladder):
        asks_no_less = True
        for column in ("enter_score", "keep_score", "enter_min_orders", "enter_min_revenue"):
            if _limit(high, column) < _limit(low, column):
                asks_no_less = False
                found = f"{column} {_shown(high, column)} of {high.tier_code}"
                allowed = (
                    f"at least {_shown(low, column)}, the {column} of {low.tier_code} below it"
                )
                yield _finding("tiers", high, found, allowed)
        entry = ("enter_score", "enter_min_orders", "enter_min_revenue")
        if asks_no_less and all(_limit(high, c) == _limit(low, c) for c in entry):
            found = f"enter_score {high.enter_score} of {high.tier_code}, with the same least orders and revenue"
            allowed = f"more than {low.enter_score}, the enter_score of {low.tier_code} below it, or more of the others"
            yield _finding("tiers", high, found, allowed)


def _limit(row: Tier, column: str) -> Decimal:
    """A rule's limit for comparisons. No orders limit is 0; no revenue limit is below any."""
    value = getattr(row, column)
    if value is None:
        return Decimal("-Infinity") if column.endswith("revenue") else Decimal(0)
    return Decimal(value)


def _shown(row: Tier, column: str) -> str:
    value = getattr(row, column)
    return "(empty)" if value is None else str(value)


def _check_score_weights(weights: list[ScoreWeight]) -> Findings:
    unknown: set[str] = set()  # profiles whose words are wrong, so that they cannot be whole
    for row in weights:
        if row.component not in COMPONENT_INPUTS:
            hint = did_you_mean(row.component, COMPONENT_INPUTS)
            found = f"component {row.component!r}{hint}"
            yield _finding("score_weights", row, found, f"one of {', '.join(COMPONENT_INPUTS)}")
            unknown.add(row.profile)
            continue
        inputs = COMPONENT_INPUTS[row.component]
        if row.input and row.input not in inputs:
            found = f"input {row.input!r} of {row.component}{did_you_mean(row.input, inputs)}"
            allowed = f"empty (the component itself) or one of {', '.join(inputs)}"
            yield _finding("score_weights", row, found, allowed)
            unknown.add(row.profile)
    for (profile, component, name), rows in _grouped(
        weights, "profile", "component", "input"
    ).items():
        if len(rows) > 1:
            found = f"{_part(component, name)} of profile {profile} again"
            allowed = "each component and each input once in a profile"
            yield _finding("score_weights", rows[1], found, allowed)
    for (profile,), rows in _grouped(weights, "profile").items():
        if profile not in unknown:
            yield from _check_profile(profile, rows)


def _part(component: str, name: str) -> str:
    return f"input {name} of component {component}" if name else f"component {component}"


def _check_profile(profile: str, rows: list[ScoreWeight]) -> Findings:
    for before, row in pairwise(rows):
        if row.sort_order <= before.sort_order:
            found = f"sort_order {row.sort_order} after {before.sort_order} in profile {profile}"
            yield _finding("score_weights", row, found, "a sort_order that rises from row to row")
    present = {(row.component, row.input) for row in rows}
    is_whole = True
    for component, inputs in COMPONENT_INPUTS.items():
        for name in ("", *inputs):
            if (component, name) not in present:
                is_whole = False
                found = f"no {_part(component, name)} in profile {profile}"
                allowed = "every component and every input in each profile (weight 0 leaves it out)"
                yield _finding("score_weights", rows, found, allowed)
    if not is_whole:
        return
    yield from _check_sum(f"the components of profile {profile}", [r for r in rows if not r.input])
    for component in COMPONENT_INPUTS:
        yield from _check_sum(
            f"the inputs of component {component} of profile {profile}",
            [r for r in rows if r.component == component and r.input],
        )


def _check_sum(what: str, rows: list[ScoreWeight]) -> Findings:
    total = sum(row.weight for row in rows)
    if total != 1:
        yield _finding(
            "score_weights", rows, f"weights of {what} that sum to {total}", "a sum of exactly 1"
        )


def growth_room(weights: Sequence[ScoreWeight], profile: str) -> Decimal:
    """Points of score that growth alone can cost a customer who entered a tier at neutral growth (50).

    The weight that counts is the largest that growth can get: weights of unknown components go to the
    known ones, and the fewest are known where there are only orders.
    """
    rows = [row for row in weights if row.profile == profile]
    known = {row.component for row in rows if row.input in ORDER_INPUTS and row.weight > 0}
    of_components = {row.component: row.weight for row in rows if not row.input}
    growth = of_components["growth"]
    if growth == 0 or "growth" not in known:
        return Decimal(0)
    return GROWTH_SWING * growth / sum(of_components[component] for component in known)


def _check_growth(weights: list[ScoreWeight], tiers: list[Tier], profile: str) -> Findings:
    """With the profile in use growth alone must never cost a tier, in any version.

    What it can cost may not exceed the distance from enter_score down to keep_score. A tier that is entered
    and kept at 0 cannot be lost by score and does not count.
    """
    room = growth_room(weights, profile)
    growth = next(
        w for w in weights if w.profile == profile and w.component == "growth" and not w.input
    )
    for row in tiers:
        distance = row.enter_score - row.keep_score
        if max(row.enter_score, row.keep_score) > 0 and 0 <= distance < room:
            found = (
                f"keep_score {row.keep_score} of {row.tier_code}, {distance} below its enter_score"
            )
            allowed = (
                f"at least {room:.2f} below {row.enter_score}: growth in profile {profile} "
                f"(seeds/score_weights.csv, line {growth.line}) has a weight of {growth.weight}, or "
                f"{room / GROWTH_SWING:.4f} where only orders are known, which times {GROWTH_SWING} is {room:.2f} "
                "and may not cost a tier alone"
            )
            yield _finding("tiers", row, found, allowed)


def _check_ranges(seed: str, rows: Iterable[CellRange]) -> Findings:
    for row in rows:
        for metric in "rfm":
            low, high = getattr(row, f"{metric}_from"), getattr(row, f"{metric}_to")
            if low > high:
                found = f"{metric}_from {low} above {metric}_to {high}"
                yield _finding(seed, row, found, f"at most {metric}_to for {metric}_from")


def _named(cell: tuple[int, int, int]) -> str:
    return "cell r={} f={} m={}".format(*cell)


def _check_segments(segments: list[RfmSegment]) -> Findings:
    yield from _check_ranges("rfm_segments", segments)
    for row in segments:
        if row.segment_code in ("lapsed", "prospect"):
            allowed = "any other code, as lapsed and prospect are given without scores"
            yield _finding("rfm_segments", row, f"segment_code {row.segment_code!r}", allowed)
    for name in SEGMENT_MAPS:
        rows = [row for row in segments if row.segment_map == name]
        if not rows:
            yield _finding(
                "rfm_segments", None, f"no rows of segment_map {name}", "both maps, each whole"
            )
            continue
        for cell in CELLS:
            holders = [row for row in rows if row.holds(cell)]
            allowed = f"each of the {len(CELLS)} cells exactly once in a map"
            if not holders:
                yield _finding(
                    "rfm_segments", rows, f"no segment for {_named(cell)} in map {name}", allowed
                )
                break
            if len(holders) > 1:
                found = f"{_named(cell)} of map {name} again (line {holders[0].line} holds it too)"
                yield _finding("rfm_segments", holders[1], found, allowed)
                break


def _check_bands(bands: list[RfmBand]) -> Findings:
    yield from _check_ranges("rfm_bands", bands)
    for (band, priority), rows in _grouped(bands, "band", "priority").items():
        if len(rows) > 1:
            found = f"priority {priority} of {band} again (it is on line {rows[0].line} too)"
            yield _finding("rfm_bands", rows[1], found, "each priority once in a band")
    for band in BANDS:
        rows = [row for row in bands if row.band == band]
        if not rows:
            yield _finding(
                "rfm_bands", None, f"no rows of band {band}", f"all of {', '.join(BANDS)}"
            )
            continue
        for cell in CELLS:
            if not any(row.holds(cell) for row in rows):
                found = f"no rule of band {band} for {_named(cell)}"
                yield _finding(
                    "rfm_bands", rows, found, f"a rule for each of the {len(CELLS)} cells"
                )
                break


def _check_fixed_edges(edges: list[RfmFixedEdges]) -> Findings:
    yield from _check_unique("rfm_fixed_edges", edges, "metric")
    for metric in ("recency", "frequency", "monetary"):
        if metric not in (row.metric for row in edges):
            allowed = "recency, frequency and monetary, each once"
            yield _finding("rfm_fixed_edges", None, f"no row of metric {metric}", allowed)
    for row in edges:
        for low, high in pairwise(("edge_1", "edge_2", "edge_3", "edge_4")):
            if getattr(row, high) < getattr(row, low):
                found = f"{high} {getattr(row, high)} of {row.metric}"
                allowed = f"at least {getattr(row, low)}, its {low}"
                yield _finding("rfm_fixed_edges", row, found, allowed)


def _check_star_ratings(ratings: list[StarRating]) -> Findings:
    yield from _check_unique("star_ratings", ratings, "star_rating")
    for stars in range(1, 6):
        if stars not in (row.star_rating for row in ratings):
            yield _finding("star_ratings", None, f"no star_rating {stars}", "1 to 5, each once")
    ratings = sorted(ratings, key=lambda row: row.star_rating)
    if ratings[0].min_score != 0:
        yield _finding(
            "star_ratings", ratings[0], f"min_score {ratings[0].min_score} of 1 star", "0"
        )
    for low, high in pairwise(ratings):
        if high.min_score <= low.min_score:
            found = f"min_score {high.min_score} of {high.star_rating} stars"
            allowed = f"more than {low.min_score}, the min_score of {low.star_rating}"
            yield _finding("star_ratings", high, found, allowed)


def _check_lifecycle(rules: list[LifecycleRule]) -> Findings:
    """Total (every number of order days ends in some stage) and without a rule that never holds."""
    yield from _check_unique("lifecycle", rules, "priority")
    if len(rules) > MOST_LIFECYCLE_RULES:
        yield _finding("lifecycle", rules, f"{len(rules)} rules", f"at most {MOST_LIFECYCLE_RULES}")
    classic: dict[str, LifecycleRule] = {}
    for row in rules:
        if row.order_days_to is not None and row.order_days_to < row.order_days_from:
            found = f"order_days_to {row.order_days_to} below order_days_from {row.order_days_from}"
            yield _finding(
                "lifecycle", row, found, "an order_days_to of at least order_days_from, or empty"
            )
        first = classic.setdefault(row.lifecycle_stage, row)
        if first.classic_stage != row.classic_stage:
            found = f"classic_stage {row.classic_stage} for {row.lifecycle_stage}"
            allowed = f"{first.classic_stage}, as on line {first.line}"
            yield _finding("lifecycle", row, found, allowed)

    settled: set[int] = set()
    ends = {0} | {row.order_days_from for row in rules}
    ends |= {row.order_days_to + 1 for row in rules if row.order_days_to is not None}
    for row in sorted(rules, key=lambda row: row.priority):
        covered = {n for n in ends if _covers(row, n)}
        if covered <= settled:
            found = f"a rule for {row.lifecycle_stage} that is never reached"
            allowed = "a rule whose order days no rule before it takes whatever the gaps"
            yield _finding("lifecycle", row, found, allowed)
        if row.gap_ratio_from is None and row.break_ratio_from is None:
            settled |= covered
    if missing := ends - settled:
        found = f"no rule without ratios for {min(missing)} order days"
        yield _finding("lifecycle", None, found, "one for every number of order days from 0")


def _covers(rule: LifecycleRule, order_days: int) -> bool:
    return rule.order_days_from <= order_days and (
        rule.order_days_to is None or order_days <= rule.order_days_to
    )


def _check_alert_rules(seeds: Seeds) -> Findings:
    rules = seeds.alert_rules
    actions = list(dict.fromkeys(row.action_code for row in seeds.playbook))
    highest = max(row.tier_rank for row in seeds.tiers)
    for (alert, severity), rows in _grouped(rules, "alert_code", "severity").items():
        if len(rows) > 1:
            found = f"severity {severity} of {alert} again (it is on line {rows[0].line} too)"
            yield _finding("alert_rules", rows[1], found, "each severity once an alert")
    for row in rules:
        low, below = row.measure_from, row.measure_below
        if low is not None and below is not None and low >= below:
            found = f"measure_from {low} with measure_below {below}"
            yield _finding("alert_rules", row, found, "a measure_from less than measure_below")
        if row.action_code not in actions:
            found = f"action_code {row.action_code!r}{did_you_mean(row.action_code, actions)}"
            yield _finding("alert_rules", row, found, "an action of seeds/playbook.csv")
        if row.tier_rank_from is not None and row.tier_rank_from > highest:
            found = f"tier_rank_from {row.tier_rank_from} for {row.alert_code}"
            allowed = f"empty or a rank up to {highest}, the highest of seeds/tiers.csv"
            yield _finding("alert_rules", row, found, allowed)


def _check_playbook(seeds: Seeds) -> Findings:
    """Every entry can be met by some customer, and everybody meets one."""
    playbook = seeds.playbook
    yield from _check_unique("playbook", playbook, "priority")
    ranks = {row.tier_rank for row in seeds.tiers}
    segments = ["lapsed", "prospect"]
    segments += [s.segment_code for s in seeds.rfm_segments if s.segment_map == "standard"]
    alerts = {row.alert_code for row in seeds.alert_rules}
    stages = {row.lifecycle_stage for row in seeds.lifecycle}
    for row in playbook:
        low = 0 if row.tier_rank_from is None else row.tier_rank_from
        high = max(ranks) if row.tier_rank_to is None else row.tier_rank_to
        if not any(low <= rank <= high for rank in {0, *ranks}):
            found = f"tier ranks from {low} to {high} for {row.action_code}"
            allowed = f"a range that holds a rank, from 0 (no tier) to {max(ranks)}"
            yield _finding("playbook", row, found, allowed)
        if row.segment_code and row.segment_code not in segments:
            found = f"segment_code {row.segment_code!r}{did_you_mean(row.segment_code, segments)}"
            allowed = "empty, lapsed, prospect or a segment of the standard map"
            yield _finding("playbook", row, found, allowed)
        if row.lifecycle_stage and row.lifecycle_stage not in stages:
            found = f"lifecycle_stage {row.lifecycle_stage!r}, which no rule of the lifecycle gives"
            yield _finding("playbook", row, found, f"empty or one of {', '.join(sorted(stages))}")
        if row.alert_code and row.alert_code not in alerts:
            found = f"alert_code {row.alert_code!r}, for which there is no rule"
            yield _finding("playbook", row, found, "empty or an alert of seeds/alert_rules.csv")
        if not row.alert_code and "{" in row.because_en + row.because_zh:
            found = "a reason with the figures of an alert, but no alert_code"
            yield _finding("playbook", row, found, "figures only in entries for an alert")
    yield from _check_reach(playbook)
    if not any(_fits_all(row) and row.action_code == NO_ACTION for row in playbook):
        found = f"no entry of action {NO_ACTION} without conditions"
        allowed = "one, neutral and no marketing, for those for whom nothing else is due"
        yield _finding("playbook", None, found, allowed)


def _check_reach(playbook: list[PlaybookEntry]) -> Findings:
    """No entry stands behind one of the same action that takes all of its customers."""
    ordered = sorted(playbook, key=lambda row: row.priority)
    for place, row in enumerate(ordered):
        for earlier in ordered[:place]:
            if earlier.action_code == row.action_code and _takes_all_of(earlier, row):
                found = f"an entry for {row.action_code} that is never reached"
                allowed = f"one whose customers the entry on line {earlier.line} does not take"
                yield _finding("playbook", row, found, allowed)


def _takes_all_of(wider: PlaybookEntry, narrower: PlaybookEntry) -> bool:
    codes = ("segment_code", "lifecycle_stage", "alert_code")
    return (
        (wider.tier_rank_from or 0) <= (narrower.tier_rank_from or 0)
        and (
            wider.tier_rank_to is None
            or (narrower.tier_rank_to is not None and narrower.tier_rank_to <= wider.tier_rank_to)
        )
        and all(getattr(wider, c) in (None, getattr(narrower, c)) for c in codes)
        and (wider.is_marketing == "false" or narrower.is_marketing == "true")
    )


def _fits_all(row: PlaybookEntry) -> bool:
    conditions = ("tier_rank_from", "tier_rank_to", "segment_code", "lifecycle_stage", "alert_code")
    return (
        row.stance == "neutral"
        and row.is_marketing == "false"
        and all(getattr(row, condition) is None for condition in conditions)
    )


def _check_age_bands(bands: list[AgeBand]) -> Findings:
    yield from _check_unique("age_bands", bands, "age_band")
    expected = 0
    for row in sorted(bands, key=lambda row: row.age_from):
        if row.age_from > row.age_to:
            found = f"age_from {row.age_from} above age_to {row.age_to}"
            yield _finding("age_bands", row, found, "an age_from of at most age_to")
        if row.age_from != expected:
            allowed = f"{expected}, so that each age from 0 to 150 is in exactly one band"
            yield _finding("age_bands", row, f"age_from {row.age_from} of {row.age_band}", allowed)
        expected = row.age_to + 1
    if expected != 151:
        last = max(bands, key=lambda row: row.age_to)
        allowed = "150 for the oldest band, so that each age from 0 to 150 is in exactly one band"
        yield _finding("age_bands", last, f"age_to {last.age_to} of {last.age_band}", allowed)


def _check_order_statuses(statuses: list[OrderStatus]) -> Findings:
    yield from _check_unique("order_statuses", statuses, "source_status")
    meaning = {row.source_status.lower(): row for row in statuses}
    for status in ORDER_STATUSES:
        row = meaning.get(status)
        if row is None or row.order_status != status:
            found = f"{status!r} read as {row.order_status!r}" if row else f"no row for {status!r}"
            allowed = f"{', '.join(ORDER_STATUSES)}, each read as itself"
            yield _finding("order_statuses", row, found, allowed)


def layout_family(layout: str) -> str:
    """What a layout is made for: its name up to the first _, so zoho for zoho_accounts."""
    return layout.partition("_")[0]


def check_export_columns(columns: list[ExportColumn]) -> None:
    """Check the layouts alone. Raises as check_seeds does."""
    _raise(_check_export_columns(columns))


def _check_export_columns(columns: list[ExportColumn]) -> Findings:
    """Every layout has one key, the customer, and says of each column whether it is personal."""
    for row in columns:
        if row.source_column not in EXPORT_SOURCES:
            hint = did_you_mean(row.source_column, EXPORT_SOURCES)
            found = f"source_column {row.source_column!r}{hint}"
            yield _finding("export_columns", row, found, f"one of {', '.join(EXPORT_SOURCES)}")
            continue
        personal = "true" if row.source_column in PERSONAL_SOURCES else "false"
        if row.is_personal != personal:
            found = f"is_personal {row.is_personal} for {row.source_column}"
            yield _finding("export_columns", row, found, personal)
        if row.is_key == "true" and row.source_column != "customer_id":
            found = f"{row.source_column} as the key of layout {row.layout}"
            yield _finding(
                "export_columns", row, found, "customer_id alone, as it names one customer"
            )
    for (layout,), rows in _grouped(columns, "layout").items():
        yield from _check_layout(layout, rows)


def _check_layout(layout: str, rows: list[ExportColumn]) -> Findings:
    for column in ("position", "source_column", "target_name"):
        seen: dict[str, ExportColumn] = {}
        for row in rows:
            value = str(getattr(row, column))
            if (first := seen.setdefault(value.lower(), row)) is not row:
                found = (
                    f"{column} {value!r} of layout {layout} again (line {first.line} has it too)"
                )
                yield _finding("export_columns", row, found, f"each {column} once in a layout")
    if not any(row.is_key == "true" for row in rows):
        allowed = "exactly one column with is_key true, that of customer_id"
        yield _finding("export_columns", rows, f"layout {layout} without a key", allowed)
    if layout_family(layout) == ZOHO:
        yield from zoho_findings(layout, rows)


def zoho_findings(layout: str, rows: list[ExportColumn]) -> Findings:
    """Zoho CRM's bulk write takes so many columns, named as its fields."""
    if len(rows) > MOST_ZOHO_COLUMNS:
        found = f"{len(rows)} columns in layout {layout}"
        yield _finding(
            "export_columns", rows, found, f"at most {MOST_ZOHO_COLUMNS} in a file for Zoho CRM"
        )
    for row in rows:
        name = r"[A-Za-z][A-Za-z0-9_]*"
        if not re.fullmatch(rf"{name}(\.{name})?", row.target_name):
            found = f"target_name {row.target_name!r} in layout {layout}"
            allowed = "the API name of a field of Zoho CRM: letters, digits and _, a letter first"
            yield _finding("export_columns", row, found, allowed)


def _check_code_labels(labels: list[CodeLabel]) -> Findings:
    for (kind, code), rows in _grouped(labels, "kind", "code").items():
        if len(rows) > 1:
            found = f"code {code} of kind {kind} again (it is on line {rows[0].line} too)"
            yield _finding("code_labels", rows[1], found, "each code once in a kind")
        if kind == "tier" and code != TIERLESS:
            allowed = f"only {TIERLESS} of kind tier, as tiers have their labels in seeds/tiers.csv"
            yield _finding("code_labels", rows[0], f"code {code} of kind tier", allowed)


def notes_on(seeds: Seeds) -> list[str]:
    """Advice that is not a rule: codes without a label, profiles with little value."""
    return _unlabelled(seeds) + _value_light(seeds)


def _unlabelled(seeds: Seeds) -> list[str]:
    map_kinds = {"standard": "segment", "value_matrix": "value_matrix"}
    used: dict[tuple[str, str | None], str] = {
        **{(map_kinds[s.segment_map], s.segment_code): "rfm_segments" for s in seeds.rfm_segments},
        **{(b.band, b.band_code): "rfm_bands" for b in seeds.rfm_bands},
        **{("age_band", b.age_band): "age_bands" for b in seeds.age_bands},
        **{("action", p.action_code): "playbook" for p in seeds.playbook},
        **{("department", p.owner_department): "playbook" for p in seeds.playbook},
        **{("action_channel", p.channel): "playbook" for p in seeds.playbook},
        **{("offer", p.offer): "playbook" for p in seeds.playbook},
    }
    labelled = {(row.kind, row.code) for row in seeds.code_labels}
    return [
        f"seeds/code_labels.csv: the {kind} {code} of seeds/{seed}.csv has no label."
        for (kind, code), seed in used.items()
        if code is not None and (kind, code) not in labelled
    ]


def _value_light(seeds: Seeds) -> list[str]:
    return [
        f"seeds/score_weights.csv, line {row.line}: profile {row.profile} gives value a weight of "
        f"{row.weight}; 0.5 or more is advised for it."
        for row in seeds.score_weights
        if row.profile in VALUE_LED_PROFILES
        and row.component == "value"
        and not row.input
        and row.weight < Decimal("0.5")
    ]
