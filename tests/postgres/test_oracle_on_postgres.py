"""The models give on PostgreSQL what the oracle gives, for made-up companies with every kind of fault."""

from __future__ import annotations

from datetime import date

import oracle
import pytest
from comparison import differences
from compiled_on_postgres import compile_on_postgres
from hypothesis import HealthCheck, Phase, given, settings
from made_once import PROJECT
from raw_companies import companies
from test_companies import SHAPES

RUN_DATE = date(2026, 1, 31)
VARIANTS = {
    "defaults": {},
    "weeks in other time zones": {
        "review_period": "week",
        "score_profile": "subscription",
        "source_time_zone": "Asia/Shanghai",
        "business_time_zone": "America/New_York",
        "rfm_window_days": 90,
        "tier_downgrade": "straight",
        "tier_validity": "calendar_year",
    },
    "groups of companies": {"tier_level": "group", "score_profile": "b2b"},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_made_up_companies(server, variant):
    project_vars = VARIANTS[variant]
    project = compile_on_postgres(server, **project_vars)
    rules = oracle.Rules.from_seeds(PROJECT / "seeds", **project_vars)

    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(companies(min_customers=5, min_orders=40))
    def check(raw):
        with project.build(raw) as connection:
            found = differences(connection, oracle.compute(raw, rules, RUN_DATE))
        assert not found, "\n".join(found)

    check()


@pytest.mark.parametrize("shape", ["deep", "broken", "forest 0"])
def test_trees_of_companies(server, shape):
    """Deep and broken hierarchies, with groups as customers."""
    project_vars = VARIANTS["groups of companies"]
    project = compile_on_postgres(server, **project_vars)
    rules = oracle.Rules.from_seeds(PROJECT / "seeds", **project_vars)
    with project.build(SHAPES[shape]) as connection:
        found = differences(connection, oracle.compute(SHAPES[shape], rules, RUN_DATE))
    assert not found, "\n".join(found)
