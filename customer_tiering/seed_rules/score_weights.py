"""What the weights of a score profile must be together, and what growth alone may cost by them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from customer_tiering.seed_rules.findings import Findings, finding, grouped
from customer_tiering.seeds import COMPONENT_INPUTS, ScoreWeight, Seeds, Tier, did_you_mean

GROWTH_SWING = 50  # points that growth's score may fall from its neutral middle
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
VALUE_LED_PROFILES = ("b2b", "finance", "subscription")


def weight_findings(weights: list[ScoreWeight]) -> Findings:
    unknown: set[str] = set()  # profiles whose words are wrong, so that they cannot be whole
    for row in weights:
        if row.component not in COMPONENT_INPUTS:
            hint = did_you_mean(row.component, COMPONENT_INPUTS)
            found = f"component {row.component!r}{hint}"
            yield finding("score_weights", row, found, f"one of {', '.join(COMPONENT_INPUTS)}")
            unknown.add(row.profile)
            continue
        inputs = COMPONENT_INPUTS[row.component]
        if row.input and row.input not in inputs:
            found = f"input {row.input!r} of {row.component}{did_you_mean(row.input, inputs)}"
            allowed = f"empty (the component itself) or one of {', '.join(inputs)}"
            yield finding("score_weights", row, found, allowed)
            unknown.add(row.profile)
    for (profile, component, name), rows in grouped(
        weights, "profile", "component", "input"
    ).items():
        if len(rows) > 1:
            found = f"{_part(component, name)} of profile {profile} again"
            allowed = "each component and each input once in a profile"
            yield finding("score_weights", rows[1], found, allowed)
    for (profile,), rows in grouped(weights, "profile").items():
        if profile not in unknown:
            yield from _profile_findings(profile, rows)


def _part(component: str, name: str) -> str:
    return f"input {name} of component {component}" if name else f"component {component}"


def _profile_findings(profile: str, rows: list[ScoreWeight]) -> Findings:
    for before, row in pairwise(rows):
        if row.sort_order <= before.sort_order:
            found = f"sort_order {row.sort_order} after {before.sort_order} in profile {profile}"
            yield finding("score_weights", row, found, "a sort_order that rises from row to row")
    present = {(row.component, row.input) for row in rows}
    is_whole = True
    for component, inputs in COMPONENT_INPUTS.items():
        for name in ("", *inputs):
            if (component, name) not in present:
                is_whole = False
                found = f"no {_part(component, name)} in profile {profile}"
                allowed = "every component and every input in each profile (weight 0 leaves it out)"
                yield finding("score_weights", rows, found, allowed)
    if not is_whole:
        return
    yield from _sum_findings(
        f"the components of profile {profile}", [r for r in rows if not r.input]
    )
    for component in COMPONENT_INPUTS:
        yield from _sum_findings(
            f"the inputs of component {component} of profile {profile}",
            [r for r in rows if r.component == component and r.input],
        )


def _sum_findings(what: str, rows: list[ScoreWeight]) -> Findings:
    total = sum(row.weight for row in rows)
    if total != 1:
        yield finding(
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


def growth_findings(weights: list[ScoreWeight], tiers: list[Tier], profile: str) -> Findings:
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
            yield finding("tiers", row, found, allowed)


def profiles_with_little_value(seeds: Seeds) -> list[str]:
    return [
        f"seeds/score_weights.csv, line {row.line}: profile {row.profile} gives value a weight of "
        f"{row.weight}; 0.5 or more is advised for it."
        for row in seeds.score_weights
        if row.profile in VALUE_LED_PROFILES
        and row.component == "value"
        and not row.input
        and row.weight < Decimal("0.5")
    ]
