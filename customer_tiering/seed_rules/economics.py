"""What the weights of a budget's drivers must be together."""

from __future__ import annotations

from customer_tiering.seed_rules.findings import Findings, finding, unique_findings
from customer_tiering.seeds import BUDGET_DRIVERS, BudgetWeight


def budget_weight_findings(weights: list[BudgetWeight]) -> Findings:
    """Each driver once, and in all exactly one."""
    yield from unique_findings("budget_weights", weights, "driver")
    present = {row.driver for row in weights}
    for driver in BUDGET_DRIVERS:
        if driver not in present:
            allowed = "every driver (weight 0 leaves it out)"
            yield finding("budget_weights", None, f"no driver {driver}", allowed)
    total = sum(row.weight for row in weights)
    if total != 1:
        found = f"weights that sum to {total}"
        yield finding("budget_weights", weights, found, "weights that sum to 1")
