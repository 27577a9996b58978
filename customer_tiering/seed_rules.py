"""What the rows of the seeds must be together: complete, ordered, summing to one.

Every check ends in one sentence: file and line, what was found, what is allowed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from typing import NoReturn

from customer_tiering.errors import ConfigurationError
from customer_tiering.seeds import (
    BANDS,
    EXPORT_SOURCES,
    ORDER_STATUSES,
    PERSONAL_SOURCES,
    SEGMENT_MAPS,
    AgeBand,
    AlertRule,
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
CELLS = tuple(product(range(1, 6), repeat=3))


def check_seeds(seeds: Seeds) -> None:
    """Check the seeds as wholes, and those that depend on each other.

    Raises ConfigurationError at the first rule that does not hold.
    """
    _check_tiers(seeds.tiers)
    _check_score_weights(seeds.score_weights)
    _check_growth(seeds.score_weights, seeds.tiers)
    _check_segments(seeds.rfm_segments)
    _check_bands(seeds.rfm_bands)
    _check_fixed_edges(seeds.rfm_fixed_edges)
    _check_star_ratings(seeds.star_ratings)
    _check_lifecycle(seeds.lifecycle)
    _check_alert_rules(seeds.alert_rules, seeds.playbook)
    _check_playbook(seeds)
    _check_age_bands(seeds.age_bands)
    _check_order_statuses(seeds.order_statuses)
    _check_unique("nobody_words", seeds.nobody_words, "word")
    _check_unique("sales_channels", seeds.sales_channels, "channel")
    check_export_columns(seeds.export_columns)
    _check_code_labels(seeds.code_labels)


def _fail(seed: str, rows: SeedRow | list[SeedRow] | None, found: str, allowed: str) -> NoReturn:
    """Stop at a row, or at the lines that a group of rows spans, or at the file."""
    where = f"seeds/{seed}.csv"
    if isinstance(rows, SeedRow):
        where += f", line {rows.line}"
    elif rows:
        where += f", lines {min(r.line for r in rows)} to {max(r.line for r in rows)}"
    raise ConfigurationError(where, found, allowed)


def _grouped(rows: Iterable[Row], *columns: str) -> dict[tuple, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, column) for column in columns)].append(row)
    return dict(groups)


def _check_unique(seed: str, rows: list[Row], column: str) -> None:
    """Each value of a column once, whatever its case."""
    seen: dict[str, SeedRow] = {}
    for row in rows:
        value = str(getattr(row, column))
        if (first := seen.setdefault(value.lower(), row)) is not row:
            found = f"{column} {value!r} again (it is on line {first.line} too)"
            _fail(seed, row, found, f"each {column} once, whatever its case")


def _check_tiers(tiers: list[Tier]) -> None:
    for row in tiers:
        if row.tier_code == TIERLESS:
            allowed = f"any other code, as {TIERLESS} stands for customers without a tier"
            _fail("tiers", row, f"tier_code '{TIERLESS}'", allowed)
    for (version,), ladder in _grouped(tiers, "version_valid_from").items():
        _check_ladder(version, ladder)
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
            _fail("tiers", row, found, "the same pairs of tier_code and tier_rank in all versions")


def _check_ladder(version: date, ladder: list[Tier]) -> None:
    """One version: ranks 1 to n, and each rung harder to reach and to keep than the one below."""
    for column in ("tier_code", "tier_rank"):
        for (value,), rows in _grouped(ladder, column).items():
            if len(rows) > 1:
                found = f"{column} {value} again in version {version}"
                _fail("tiers", rows[1], found, f"each {column} once in a version")
    ladder = sorted(ladder, key=lambda row: row.tier_rank)
    for rank, row in enumerate(ladder, start=1):
        if row.tier_rank != rank:
            found = f"tier_rank {row.tier_rank} without a tier_rank {rank} in version {version}"
            _fail("tiers", row, found, "ranks from 1 without gaps in each version")
        for keep, enter in (
            ("keep_score", "enter_score"),
            ("keep_min_orders", "enter_min_orders"),
            ("keep_min_revenue", "enter_min_revenue"),
        ):
            if _limit(row, keep) > _limit(row, enter):
                found = f"{keep} {getattr(row, keep)} above {enter} {_shown(row, enter)}"
                _fail("tiers", row, found, f"a {keep} of at most {enter}")
    for low, high in pairwise(ladder):
        if high.enter_score <= low.enter_score:
            found = f"enter_score {high.enter_score} of {high.tier_code}"
            allowed = f"more than {low.enter_score}, the enter_score of {low.tier_code} below it"
            _fail("tiers", high, found, allowed)
        for column in ("keep_score", "enter_min_orders", "enter_min_revenue"):
            if _limit(high, column) < _limit(low, column):
                found = f"{column} {_shown(high, column)} of {high.tier_code}"
                allowed = (
                    f"at least {_shown(low, column)}, the {column} of {low.tier_code} below it"
                )
                _fail("tiers", high, found, allowed)


def _limit(row: Tier, column: str) -> Decimal:
    """A rule's limit for comparisons. No orders limit is 0; no revenue limit is below any."""
    value = getattr(row, column)
    if value is None:
        return Decimal("-Infinity") if column.endswith("revenue") else Decimal(0)
    return Decimal(value)


def _shown(row: Tier, column: str) -> str:
    value = getattr(row, column)
    return "(empty)" if value is None else str(value)


def _check_score_weights(weights: list[ScoreWeight]) -> None:
    for row in weights:
        if row.component not in COMPONENT_INPUTS:
            hint = did_you_mean(row.component, COMPONENT_INPUTS)
            found = f"component {row.component!r}{hint}"
            _fail("score_weights", row, found, f"one of {', '.join(COMPONENT_INPUTS)}")
        inputs = COMPONENT_INPUTS[row.component]
        if row.input and row.input not in inputs:
            found = f"input {row.input!r} of {row.component}{did_you_mean(row.input, inputs)}"
            allowed = f"empty (the component itself) or one of {', '.join(inputs)}"
            _fail("score_weights", row, found, allowed)
    for (profile, component, name), rows in _grouped(
        weights, "profile", "component", "input"
    ).items():
        if len(rows) > 1:
            found = f"{_part(component, name)} of profile {profile} again"
            allowed = "each component and each input once in a profile"
            _fail("score_weights", rows[1], found, allowed)
    for (profile,), rows in _grouped(weights, "profile").items():
        _check_profile(profile, rows)


def _part(component: str, name: str) -> str:
    return f"input {name} of component {component}" if name else f"component {component}"


def _check_profile(profile: str, rows: list[ScoreWeight]) -> None:
    for before, row in pairwise(rows):
        if row.sort_order <= before.sort_order:
            found = f"sort_order {row.sort_order} after {before.sort_order} in profile {profile}"
            _fail("score_weights", row, found, "a sort_order that rises from row to row")
    present = {(row.component, row.input) for row in rows}
    for component, inputs in COMPONENT_INPUTS.items():
        for name in ("", *inputs):
            if (component, name) not in present:
                found = f"no {_part(component, name)} in profile {profile}"
                allowed = "every component and every input in each profile (weight 0 leaves it out)"
                _fail("score_weights", rows, found, allowed)
    _check_sum(f"the components of profile {profile}", [r for r in rows if not r.input])
    for component in COMPONENT_INPUTS:
        _check_sum(
            f"the inputs of component {component} of profile {profile}",
            [r for r in rows if r.component == component and r.input],
        )


def _check_sum(what: str, rows: list[ScoreWeight]) -> None:
    total = sum(row.weight for row in rows)
    if total != 1:
        _fail("score_weights", rows, f"weights of {what} that sum to {total}", "a sum of exactly 1")


def _check_growth(weights: list[ScoreWeight], tiers: list[Tier]) -> None:
    """Growth alone must never cost a tier, in any profile and any version.

    A customer who entered at neutral growth (50) can lose 50 points of growth, so growth's weight
    times 50 may not exceed the distance from enter_score down to keep_score. The weight that
    counts is the largest that growth can get: weights of unknown components go to the known ones,
    and the fewest are known where there are only orders. A tier that is entered and kept at 0
    cannot be lost by score and does not count.
    """
    distances = [row for row in tiers if (row.enter_score, row.keep_score) != (0, 0)]
    if not distances:
        return
    nearest = min(distances, key=lambda row: row.enter_score - row.keep_score)
    room = nearest.enter_score - nearest.keep_score
    for (profile,), rows in _grouped(weights, "profile").items():
        known = {row.component for row in rows if row.input in ORDER_INPUTS and row.weight > 0}
        of_components = {row.component: row for row in rows if not row.input}
        growth = of_components["growth"]
        if growth.weight == 0 or "growth" not in known:
            continue
        share = growth.weight / sum(of_components[component].weight for component in known)
        if share * GROWTH_SWING > room:
            found = (
                f"growth with a weight of {growth.weight}, or {share:.4f} where only orders are "
                f"known, in profile {profile} (times {GROWTH_SWING} = {share * GROWTH_SWING:.2f})"
            )
            allowed = (
                f"a growth weight that, times {GROWTH_SWING}, is at most {room}, the smallest "
                f"distance from enter_score to keep_score (seeds/tiers.csv, line {nearest.line})"
            )
            _fail("score_weights", growth, found, allowed)


def _check_ranges(seed: str, rows: Iterable[CellRange]) -> None:
    for row in rows:
        for metric in "rfm":
            low, high = getattr(row, f"{metric}_from"), getattr(row, f"{metric}_to")
            if low > high:
                found = f"{metric}_from {low} above {metric}_to {high}"
                _fail(seed, row, found, f"at most {metric}_to for {metric}_from")


def _named(cell: tuple[int, int, int]) -> str:
    return "cell r={} f={} m={}".format(*cell)


def _check_segments(segments: list[RfmSegment]) -> None:
    _check_ranges("rfm_segments", segments)
    for row in segments:
        if row.segment_code in ("lapsed", "prospect"):
            allowed = "any other code, as lapsed and prospect are given without scores"
            _fail("rfm_segments", row, f"segment_code {row.segment_code!r}", allowed)
    for name in SEGMENT_MAPS:
        rows = [row for row in segments if row.segment_map == name]
        if not rows:
            _fail("rfm_segments", None, f"no rows of segment_map {name}", "both maps, each whole")
        for cell in CELLS:
            holders = [row for row in rows if row.holds(cell)]
            allowed = f"each of the {len(CELLS)} cells exactly once in a map"
            if not holders:
                _fail("rfm_segments", rows, f"no segment for {_named(cell)} in map {name}", allowed)
            if len(holders) > 1:
                found = f"{_named(cell)} of map {name} again (line {holders[0].line} holds it too)"
                _fail("rfm_segments", holders[1], found, allowed)


def _check_bands(bands: list[RfmBand]) -> None:
    _check_ranges("rfm_bands", bands)
    for (band, priority), rows in _grouped(bands, "band", "priority").items():
        if len(rows) > 1:
            found = f"priority {priority} of {band} again (it is on line {rows[0].line} too)"
            _fail("rfm_bands", rows[1], found, "each priority once in a band")
    for band in BANDS:
        rows = [row for row in bands if row.band == band]
        if not rows:
            _fail("rfm_bands", None, f"no rows of band {band}", f"all of {', '.join(BANDS)}")
        for cell in CELLS:
            if not any(row.holds(cell) for row in rows):
                found = f"no rule of band {band} for {_named(cell)}"
                _fail("rfm_bands", rows, found, f"a rule for each of the {len(CELLS)} cells")


def _check_fixed_edges(edges: list[RfmFixedEdges]) -> None:
    _check_unique("rfm_fixed_edges", edges, "metric")
    for metric in ("recency", "frequency", "monetary"):
        if metric not in (row.metric for row in edges):
            allowed = "recency, frequency and monetary, each once"
            _fail("rfm_fixed_edges", None, f"no row of metric {metric}", allowed)
    for row in edges:
        for low, high in pairwise(("edge_1", "edge_2", "edge_3", "edge_4")):
            if getattr(row, high) < getattr(row, low):
                found = f"{high} {getattr(row, high)} of {row.metric}"
                allowed = f"at least {getattr(row, low)}, its {low}"
                _fail("rfm_fixed_edges", row, found, allowed)


def _check_star_ratings(ratings: list[StarRating]) -> None:
    _check_unique("star_ratings", ratings, "star_rating")
    for stars in range(1, 6):
        if stars not in (row.star_rating for row in ratings):
            _fail("star_ratings", None, f"no star_rating {stars}", "1 to 5, each once")
    ratings = sorted(ratings, key=lambda row: row.star_rating)
    if ratings[0].min_score != 0:
        _fail("star_ratings", ratings[0], f"min_score {ratings[0].min_score} of 1 star", "0")
    for low, high in pairwise(ratings):
        if high.min_score <= low.min_score:
            found = f"min_score {high.min_score} of {high.star_rating} stars"
            allowed = f"more than {low.min_score}, the min_score of {low.star_rating}"
            _fail("star_ratings", high, found, allowed)


def _check_lifecycle(rules: list[LifecycleRule]) -> None:
    """Total (every number of order days ends in some stage) and without a rule that never holds."""
    _check_unique("lifecycle", rules, "priority")
    if len(rules) > MOST_LIFECYCLE_RULES:
        _fail("lifecycle", rules, f"{len(rules)} rules", f"at most {MOST_LIFECYCLE_RULES}")
    classic: dict[str, LifecycleRule] = {}
    for row in rules:
        if row.order_days_to is not None and row.order_days_to < row.order_days_from:
            found = f"order_days_to {row.order_days_to} below order_days_from {row.order_days_from}"
            _fail("lifecycle", row, found, "an order_days_to of at least order_days_from, or empty")
        first = classic.setdefault(row.lifecycle_stage, row)
        if first.classic_stage != row.classic_stage:
            found = f"classic_stage {row.classic_stage} for {row.lifecycle_stage}"
            allowed = f"{first.classic_stage}, as on line {first.line}"
            _fail("lifecycle", row, found, allowed)

    settled: set[int] = set()
    ends = {0} | {row.order_days_from for row in rules}
    ends |= {row.order_days_to + 1 for row in rules if row.order_days_to is not None}
    for row in sorted(rules, key=lambda row: row.priority):
        covered = {n for n in ends if _covers(row, n)}
        if covered <= settled:
            found = f"a rule for {row.lifecycle_stage} that is never reached"
            allowed = "a rule whose order days no rule before it takes whatever the gaps"
            _fail("lifecycle", row, found, allowed)
        if row.gap_ratio_from is None and row.break_ratio_from is None:
            settled |= covered
    if missing := ends - settled:
        found = f"no rule without ratios for {min(missing)} order days"
        _fail("lifecycle", None, found, "one for every number of order days from 0")


def _covers(rule: LifecycleRule, order_days: int) -> bool:
    return rule.order_days_from <= order_days and (
        rule.order_days_to is None or order_days <= rule.order_days_to
    )


def _check_alert_rules(rules: list[AlertRule], playbook: list[PlaybookEntry]) -> None:
    actions = list(dict.fromkeys(row.action_code for row in playbook))
    for (alert, severity), rows in _grouped(rules, "alert_code", "severity").items():
        if len(rows) > 1:
            found = f"severity {severity} of {alert} again (it is on line {rows[0].line} too)"
            _fail("alert_rules", rows[1], found, "each severity once an alert")
    for row in rules:
        limits = (row.measure_from, row.measure_below)
        if None not in limits and limits[0] >= limits[1]:
            found = f"measure_from {limits[0]} with measure_below {limits[1]}"
            _fail("alert_rules", row, found, "a measure_from less than measure_below")
        if row.action_code not in actions:
            found = f"action_code {row.action_code!r}{did_you_mean(row.action_code, actions)}"
            _fail("alert_rules", row, found, "an action of seeds/playbook.csv")


def _check_playbook(seeds: Seeds) -> None:
    """Every entry can be met by some customer, and everybody meets one."""
    playbook = seeds.playbook
    _check_unique("playbook", playbook, "priority")
    ranks = {row.tier_rank for row in seeds.tiers}
    segments = ["lapsed", "prospect"]
    segments += [s.segment_code for s in seeds.rfm_segments if s.segment_map == "standard"]
    alerts = {row.alert_code for row in seeds.alert_rules}
    stages = {row.lifecycle_stage for row in seeds.lifecycle}
    for row in playbook:
        low = 0 if row.tier_rank_from is None else row.tier_rank_from
        high = max(ranks) if row.tier_rank_to is None else row.tier_rank_to
        if not any(low <= rank <= high for rank in {0, *ranks}):
            found = f"tier ranks from {low} to {high}"
            allowed = f"a range that holds a rank, from 0 (no tier) to {max(ranks)}"
            _fail("playbook", row, found, allowed)
        if row.segment_code and row.segment_code not in segments:
            found = f"segment_code {row.segment_code!r}{did_you_mean(row.segment_code, segments)}"
            allowed = "empty, lapsed, prospect or a segment of the standard map"
            _fail("playbook", row, found, allowed)
        if row.lifecycle_stage and row.lifecycle_stage not in stages:
            found = f"lifecycle_stage {row.lifecycle_stage!r}, which no rule of the lifecycle gives"
            _fail("playbook", row, found, f"empty or one of {', '.join(sorted(stages))}")
        if row.alert_code and row.alert_code not in alerts:
            found = f"alert_code {row.alert_code!r}, for which there is no rule"
            _fail("playbook", row, found, "empty or an alert of seeds/alert_rules.csv")
        if not row.alert_code and "{" in row.because_en + row.because_zh:
            found = "a reason with the figures of an alert, but no alert_code"
            _fail("playbook", row, found, "figures only in entries for an alert")
    _check_reach(playbook)
    if not any(_fits_all(row) and row.action_code == NO_ACTION for row in playbook):
        found = f"no entry of action {NO_ACTION} without conditions"
        allowed = "one, neutral and no marketing, for those for whom nothing else is due"
        _fail("playbook", None, found, allowed)


def _check_reach(playbook: list[PlaybookEntry]) -> None:
    """No entry stands behind one of the same action that takes all of its customers."""
    ordered = sorted(playbook, key=lambda row: row.priority)
    for place, row in enumerate(ordered):
        for earlier in ordered[:place]:
            if earlier.action_code == row.action_code and _takes_all_of(earlier, row):
                found = f"an entry for {row.action_code} that is never reached"
                allowed = f"one whose customers the entry on line {earlier.line} does not take"
                _fail("playbook", row, found, allowed)


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


def _check_age_bands(bands: list[AgeBand]) -> None:
    _check_unique("age_bands", bands, "age_band")
    expected = 0
    for row in sorted(bands, key=lambda row: row.age_from):
        if row.age_from > row.age_to:
            found = f"age_from {row.age_from} above age_to {row.age_to}"
            _fail("age_bands", row, found, "an age_from of at most age_to")
        if row.age_from != expected:
            allowed = f"{expected}, so that each age from 0 to 150 is in exactly one band"
            _fail("age_bands", row, f"age_from {row.age_from} of {row.age_band}", allowed)
        expected = row.age_to + 1
    if expected != 151:
        last = max(bands, key=lambda row: row.age_to)
        allowed = "150 for the oldest band, so that each age from 0 to 150 is in exactly one band"
        _fail("age_bands", last, f"age_to {last.age_to} of {last.age_band}", allowed)


def _check_order_statuses(statuses: list[OrderStatus]) -> None:
    _check_unique("order_statuses", statuses, "source_status")
    meaning = {row.source_status.lower(): row for row in statuses}
    for status in ORDER_STATUSES:
        row = meaning.get(status)
        if row is None or row.order_status != status:
            found = f"{status!r} read as {row.order_status!r}" if row else f"no row for {status!r}"
            allowed = f"{', '.join(ORDER_STATUSES)}, each read as itself"
            _fail("order_statuses", row, found, allowed)


def layout_family(layout: str) -> str:
    """What a layout is made for: its name up to the first _, so zoho for zoho_accounts."""
    return layout.partition("_")[0]


def check_export_columns(columns: list[ExportColumn]) -> None:
    """Every layout has one key, the customer, and says of each column whether it is personal.

    Raises ConfigurationError at the first rule that does not hold.
    """
    for row in columns:
        if row.source_column not in EXPORT_SOURCES:
            hint = did_you_mean(row.source_column, EXPORT_SOURCES)
            found = f"source_column {row.source_column!r}{hint}"
            _fail("export_columns", row, found, f"one of {', '.join(EXPORT_SOURCES)}")
        personal = "true" if row.source_column in PERSONAL_SOURCES else "false"
        if row.is_personal != personal:
            found = f"is_personal {row.is_personal} for {row.source_column}"
            _fail("export_columns", row, found, personal)
        if row.is_key == "true" and row.source_column != "customer_id":
            found = f"{row.source_column} as the key of layout {row.layout}"
            _fail("export_columns", row, found, "customer_id alone, as it names one customer")
    for (layout,), rows in _grouped(columns, "layout").items():
        _check_layout(layout, rows)


def _check_layout(layout: str, rows: list[ExportColumn]) -> None:
    for column in ("position", "source_column", "target_name"):
        seen: dict[str, ExportColumn] = {}
        for row in rows:
            value = str(getattr(row, column))
            if (first := seen.setdefault(value.lower(), row)) is not row:
                found = (
                    f"{column} {value!r} of layout {layout} again (line {first.line} has it too)"
                )
                _fail("export_columns", row, found, f"each {column} once in a layout")
    if not any(row.is_key == "true" for row in rows):
        allowed = "exactly one column with is_key true, that of customer_id"
        _fail("export_columns", rows, f"layout {layout} without a key", allowed)
    if layout_family(layout) == ZOHO:
        check_zoho_layout(layout, rows)


def check_zoho_layout(layout: str, rows: list[ExportColumn]) -> None:
    """Zoho CRM's bulk write takes so many columns, named as its fields. Raises ConfigurationError."""
    if len(rows) > MOST_ZOHO_COLUMNS:
        found = f"{len(rows)} columns in layout {layout}"
        _fail("export_columns", rows, found, f"at most {MOST_ZOHO_COLUMNS} in a file for Zoho CRM")
    for row in rows:
        name = r"[A-Za-z][A-Za-z0-9_]*"
        if not re.fullmatch(rf"{name}(\.{name})?", row.target_name):
            found = f"target_name {row.target_name!r} in layout {layout}"
            allowed = "the API name of a field of Zoho CRM: letters, digits and _, a letter first"
            _fail("export_columns", row, found, allowed)


def _check_code_labels(labels: list[CodeLabel]) -> None:
    for (kind, code), rows in _grouped(labels, "kind", "code").items():
        if len(rows) > 1:
            found = f"code {code} of kind {kind} again (it is on line {rows[0].line} too)"
            _fail("code_labels", rows[1], found, "each code once in a kind")
        if kind == "tier" and code != TIERLESS:
            allowed = f"only {TIERLESS} of kind tier, as tiers have their labels in seeds/tiers.csv"
            _fail("code_labels", rows[0], f"code {code} of kind tier", allowed)


def notes_on(seeds: Seeds) -> list[str]:
    """Advice that is not a rule: codes without a label, profiles with little value."""
    return _unlabelled(seeds) + _value_light(seeds)


def _unlabelled(seeds: Seeds) -> list[str]:
    map_kinds = {"standard": "segment", "value_matrix": "value_matrix"}
    used = {
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
