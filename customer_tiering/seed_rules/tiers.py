"""What tiers and benefits must be together: ranks without gaps, each harder to reach than the one below."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

from customer_tiering.seed_rules.findings import Findings, finding, grouped
from customer_tiering.seeds import Seeds, Tier, did_you_mean

TIERLESS = "none"  # the tier_code of customers without a tier


def tier_findings(tiers: list[Tier]) -> Findings:
    for row in tiers:
        if row.tier_code == TIERLESS:
            allowed = f"any other code, as {TIERLESS} stands for customers without a tier"
            yield finding("tiers", row, f"tier_code '{TIERLESS}'", allowed)
    for (version,), ladder in grouped(tiers, "version_valid_from").items():
        yield from _ladder_findings(version, ladder)
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
            yield finding(
                "tiers", row, found, "the same pairs of tier_code and tier_rank in all versions"
            )


def benefit_findings(seeds: Seeds) -> Findings:
    """Each benefit once in a tier, and under one name."""
    benefits = seeds.tier_benefits
    for (tier, benefit), rows in grouped(benefits, "tier_code", "benefit_code").items():
        if len(rows) > 1:
            found = f"benefit {benefit} of {tier} again (it is on line {rows[0].line} too)"
            yield finding("tier_benefits", rows[1], found, "each benefit once a tier")
    for (benefit,), rows in grouped(benefits, "benefit_code").items():
        first = rows[0]
        for row in rows[1:]:
            if (row.label_en, row.label_zh) != (first.label_en, first.label_zh):
                found = f"labels {row.label_en!r} and {row.label_zh!r} of {benefit}"
                allowed = f"those of line {first.line}: {first.label_en!r} and {first.label_zh!r}"
                yield finding("tier_benefits", row, found, allowed)
                break


def benefits_of_no_tier(seeds: Seeds) -> list[str]:
    """A note on benefits that nobody has: whoever renames tiers need not edit costs before a refresh."""
    tiers = list(dict.fromkeys(row.tier_code for row in seeds.tiers))
    unknown = {row.tier_code: None for row in seeds.tier_benefits if row.tier_code not in tiers}
    named = ", ".join(f"{code}{did_you_mean(code, tiers)}" for code in unknown)
    note = (
        f"seeds/tier_benefits.csv has costs of tiers that seeds/tiers.csv does not have: {named}."
    )
    return [note] if named else []


def _ladder_findings(version: date, ladder: list[Tier]) -> Findings:
    """One version: ranks 1 to n, and each tier harder to reach than the one below, and no easier to keep."""
    for column in ("tier_code", "tier_rank"):
        for (value,), rows in grouped(ladder, column).items():
            if len(rows) > 1:
                found = f"{column} {value} again in version {version}"
                yield finding("tiers", rows[1], found, f"each {column} once in a version")
                return
    ladder = sorted(ladder, key=lambda row: row.tier_rank)
    for rank, row in enumerate(ladder, start=1):
        if row.tier_rank != rank:
            found = f"tier_rank {row.tier_rank} without a tier_rank {rank} in version {version}"
            yield finding("tiers", row, found, "ranks from 1 without gaps in each version")
            return
    for row in ladder:
        for keep, enter in (
            ("keep_score", "enter_score"),
            ("keep_min_orders", "enter_min_orders"),
            ("keep_min_revenue", "enter_min_revenue"),
        ):
            if _limit(row, keep) > _limit(row, enter):
                found = f"{keep} {getattr(row, keep)} above {enter} {_shown(row, enter)}"
                yield finding("tiers", row, found, f"a {keep} of at most {enter}")
    for low, high in pairwise(ladder):
        asks_no_less = True
        for column in ("enter_score", "keep_score", "enter_min_orders", "enter_min_revenue"):
            if _limit(high, column) < _limit(low, column):
                asks_no_less = False
                found = f"{column} {_shown(high, column)} of {high.tier_code}"
                allowed = (
                    f"at least {_shown(low, column)}, the {column} of {low.tier_code} below it"
                )
                yield finding("tiers", high, found, allowed)
        entry = ("enter_score", "enter_min_orders", "enter_min_revenue")
        if asks_no_less and all(_limit(high, c) == _limit(low, c) for c in entry):
            found = f"enter_score {high.enter_score} of {high.tier_code}, with the same least orders and revenue"
            allowed = f"more than {low.enter_score}, the enter_score of {low.tier_code} below it, or more of the others"
            yield finding("tiers", high, found, allowed)


def _limit(row: Tier, column: str) -> Decimal:
    """A rule's limit for comparisons. No orders limit is 0; no revenue limit is below any."""
    value = getattr(row, column)
    if value is None:
        return Decimal("-Infinity") if column.endswith("revenue") else Decimal(0)
    return Decimal(value)


def _shown(row: Tier, column: str) -> str:
    value = getattr(row, column)
    return "(empty)" if value is None else str(value)
