"""Tiers of real companies with the one shipped configuration: few at the top, more below."""

from __future__ import annotations

import duckdb
import pytest
from public_examples import EXAMPLES, public_folder, write_raw

# What a data set needs besides the shipped configuration; why is in its README.
NEEDS = {
    "online_retail": {},
    "completejourney": {},
    "cdnow": {"history_starts_on": "1997-01-01"},
    "olist": {"score_profile": "one_off"},
}
LARGEST_TOP_TIER = 0.06


def tiers(connection) -> dict[str, int]:
    """Customers per tier at the newest period, those without a tier left out."""
    return dict(
        connection.execute(
            """
            select tier_code, customers from marts.tier_summary
            where period_end = (select max(period_end) from marts.review_periods) and tier_code <> 'none'
            """
        ).fetchall()
    )


def assert_pyramid(customers: dict[str, int]) -> None:
    holders = sum(customers.values())
    assert 1 <= customers["diamond"] <= LARGEST_TOP_TIER * holders
    assert customers["gold"] >= customers["platinum"] >= customers["diamond"]


@pytest.mark.parametrize("name", NEEDS)
def test_a_real_data_set(compiled, tmp_path, name):
    raw = write_raw(EXAMPLES / name, public_folder(name), tmp_path / "raw")
    project = compiled(**NEEDS[name]).only("tier_summary", "reconciliation")
    with project.build(raw) as connection:
        customers = tiers(connection)
        lost = connection.execute(
            "select source_table, rows_in from quality.reconciliation "
            "where source_table in ('customers', 'orders') and rows_staged = 0"
        ).fetchall()
    assert lost == []
    assert_pyramid(customers)


# Of a CRM with 15 subsidiaries among 85 accounts: customers of each tier, the lowest first, by tier_level.
OF_A_CRM = {
    "customer": {"bronze": 33, "silver": 26, "gold": 25, "platinum": 1, "diamond": 0},
    "group": {"bronze": 27, "silver": 25, "gold": 15, "platinum": 3, "diamond": 0},
}
GROUPS_OF_A_CRM = [
    ("Acme Corporation", 5, 214, 519_349, "platinum"),
    ("Sonron", 4, 210, 479_028, "platinum"),
    ("Inity", 3, 170, 340_612, "gold"),
    ("Bubba Gump", 3, 146, 329_909, "gold"),
    ("Golddex", 3, 126, 290_215, "gold"),
    ("Massive Dynamic", 2, 95, 288_130, "gold"),
    ("Warephase", 2, 102, 233_149, "gold"),
]


@pytest.mark.parametrize("level", OF_A_CRM)
def test_a_crm_by_customer_and_by_group(compiled, tmp_path, level):
    raw = write_raw(EXAMPLES / "crm_b2b", public_folder("crm_b2b"), tmp_path / "raw")
    project = compiled(score_profile="b2b", reporting_currency="USD", tier_level=level)
    project = project.only("tier_summary", "account_rollups", "customers")
    with project.build(raw) as connection:
        assert tiers(connection) == OF_A_CRM[level]
        groups = connection.execute(
            "select root_customer_id, members, frequency, window_revenue, tier_code "
            "from marts.account_rollups order by window_revenue desc"
        ).fetchall()
        unknown = connection.execute(
            "select count(industry_in_source), count(company_size_in_source) from marts.customers"
        ).fetchone()
    assert groups == [
        (*group, tier if level == "group" else None) for *group, tier in GROUPS_OF_A_CRM
    ]
    assert unknown == (0, 0)


def test_the_data_set_that_ships(compiled):
    project = compiled().only("tier_summary")
    with project.build(EXAMPLES / "completejourney_small") as connection:
        assert_pyramid(tiers(connection))


def test_the_sample(sample_warehouse):
    """Its interactions speak of less than half of the customers, and leave the top tier its size."""
    with duckdb.connect(sample_warehouse / "customer_tiering.duckdb", read_only=True) as connection:
        customers = tiers(connection)
    assert_pyramid(customers)
    assert customers["diamond"] >= 0.01 * sum(customers.values())
