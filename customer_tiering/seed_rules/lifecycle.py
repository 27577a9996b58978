"""What the rules of the lifecycle must be together: each reached, and one for everybody."""

from __future__ import annotations

from customer_tiering.seed_rules.findings import Findings, finding, unique_findings
from customer_tiering.seeds import LifecycleRule

# As many places as macros/lifecycle_rules.sql has.
MOST_LIFECYCLE_RULES = 12


def lifecycle_findings(rules: list[LifecycleRule]) -> Findings:
    """Total (every number of order days ends in some stage) and without a rule that never holds."""
    yield from unique_findings("lifecycle", rules, "priority")
    if len(rules) > MOST_LIFECYCLE_RULES:
        yield finding("lifecycle", rules, f"{len(rules)} rules", f"at most {MOST_LIFECYCLE_RULES}")
    classic: dict[str, LifecycleRule] = {}
    for row in rules:
        if row.order_days_to is not None and row.order_days_to < row.order_days_from:
            found = f"order_days_to {row.order_days_to} below order_days_from {row.order_days_from}"
            yield finding(
                "lifecycle", row, found, "an order_days_to of at least order_days_from, or empty"
            )
        first = classic.setdefault(row.lifecycle_stage, row)
        if first.classic_stage != row.classic_stage:
            found = f"classic_stage {row.classic_stage} for {row.lifecycle_stage}"
            allowed = f"{first.classic_stage}, as on line {first.line}"
            yield finding("lifecycle", row, found, allowed)

    settled: set[int] = set()
    ends = {0} | {row.order_days_from for row in rules}
    ends |= {row.order_days_to + 1 for row in rules if row.order_days_to is not None}
    for row in sorted(rules, key=lambda row: row.priority):
        covered = {n for n in ends if _covers(row, n)}
        if covered <= settled:
            found = f"a rule for {row.lifecycle_stage} that is never reached"
            allowed = "a rule whose order days no rule before it takes whatever the gaps"
            yield finding("lifecycle", row, found, allowed)
        if row.gap_ratio_from is None and row.break_ratio_from is None:
            settled |= covered
    if missing := ends - settled:
        found = f"no rule without ratios for {min(missing)} order days"
        yield finding("lifecycle", None, found, "one for every number of order days from 0")


def _covers(rule: LifecycleRule, order_days: int) -> bool:
    return rule.order_days_from <= order_days and (
        rule.order_days_to is None or order_days <= rule.order_days_to
    )
