"""What the rows of the seeds must be together: complete, ordered, summing to one.

Every finding is one sentence: file and line, what was found, what is allowed.
"""

from __future__ import annotations

from customer_tiering.seed_rules.economics import budget_weight_findings
from customer_tiering.seed_rules.export_columns import export_column_findings
from customer_tiering.seed_rules.findings import Findings, raise_found, unique_findings
from customer_tiering.seed_rules.lifecycle import lifecycle_findings
from customer_tiering.seed_rules.playbook import (
    alert_rule_findings,
    contact_rhythm_findings,
    department_channel_findings,
    playbook_findings,
    recommending_offer_findings,
)
from customer_tiering.seed_rules.rfm import (
    band_findings,
    fixed_edge_findings,
    segment_findings,
    star_rating_findings,
)
from customer_tiering.seed_rules.score_weights import (
    growth_findings,
    profiles_with_little_value,
    weight_findings,
)
from customer_tiering.seed_rules.tiers import (
    benefit_findings,
    benefits_of_no_tier,
    tier_findings,
)
from customer_tiering.seed_rules.words import (
    age_band_findings,
    code_label_findings,
    codes_without_label,
    company_size_findings,
    country_findings,
    high_net_worth_findings,
    industry_findings,
    order_status_findings,
)
from customer_tiering.seeds import Seeds


def check_seeds(seeds: Seeds, profile: str) -> None:
    """Check the seeds as wholes, and those that depend on each other; `profile` is the score profile in use.

    Raises BrokenRulesError, or ConfigurationError where a single rule does not hold.
    """
    raise_found(_findings(seeds, profile))


def _findings(seeds: Seeds, profile: str) -> Findings:
    yield from tier_findings(seeds.tiers)
    yield from benefit_findings(seeds)
    of_weights = list(weight_findings(seeds.score_weights))
    yield from of_weights
    if not of_weights and profile in seeds.profiles:
        yield from growth_findings(seeds.score_weights, seeds.tiers, profile)
    yield from segment_findings(seeds.rfm_segments)
    yield from band_findings(seeds.rfm_bands)
    yield from fixed_edge_findings(seeds.rfm_fixed_edges)
    yield from star_rating_findings(seeds.star_ratings)
    yield from lifecycle_findings(seeds.lifecycle)
    yield from alert_rule_findings(seeds)
    yield from playbook_findings(seeds)
    yield from contact_rhythm_findings(seeds)
    yield from department_channel_findings(seeds)
    yield from recommending_offer_findings(seeds)
    yield from age_band_findings(seeds.age_bands)
    yield from high_net_worth_findings(seeds.high_net_worth_bands)
    yield from budget_weight_findings(seeds.budget_weights)
    yield from order_status_findings(seeds.order_statuses)
    yield from country_findings(seeds.countries)
    yield from unique_findings("nobody_words", seeds.nobody_words, "word")
    yield from unique_findings("sales_channels", seeds.sales_channels, "channel")
    yield from industry_findings(seeds.industries)
    yield from company_size_findings(seeds.company_sizes)
    yield from export_column_findings(seeds.export_columns)
    yield from code_label_findings(seeds.code_labels)


def notes_on(seeds: Seeds) -> list[str]:
    """Advice that is not a rule: codes without a label, profiles with little value, costs of no tier."""
    return (
        codes_without_label(seeds) + profiles_with_little_value(seeds) + benefits_of_no_tier(seeds)
    )
