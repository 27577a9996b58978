"""Tiers of real companies with the one shipped configuration: few at the top, more below."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
from public_examples import EXAMPLES, bank_folder, public_folder, write_raw

from customer_tiering.sample.bank import generate

# What a data set needs besides the shipped configuration; why is in its README.
NEEDS = {
    "online_retail": {},
    "completejourney": {"profile_dimensions": ("income",)},
    "cdnow": {"history_starts_on": "1997-01-01"},
    "olist": {"score_profile": "one_off"},
}
LARGEST_TOP_TIER = 0.06
# Households of completejourney with a known income and with a high one, as its README says.
INCOMES = {
    "diamond": (86, 24),
    "platinum": (186, 26),
    "gold": (355, 30),
    "silver": (164, 15),
    "bronze": (10, 0),
}
HIGH_INCOMES = ("125-149K", "150-174K", "175-199K", "200-249K", "250K+")


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


def known_incomes(connection) -> dict[str, tuple[int, int]]:
    """Customers per tier whose income is known, and high."""
    rows = connection.execute(
        f"""
        select
            segment_code,
            sum(customers),
            coalesce(sum(customers) filter (dimension_value in {HIGH_INCOMES}), 0)
        from marts.segment_profiles
        where segment_kind = 'tier' and dimension = 'income' and dimension_value <> 'unknown'
        group by 1
        """
    ).fetchall()
    return {tier: (known, high) for tier, known, high in rows}


def assert_pyramid(customers: dict[str, int]) -> None:
    holders = sum(customers.values())
    assert 1 <= customers["diamond"] <= LARGEST_TOP_TIER * holders
    assert customers["gold"] >= customers["platinum"] >= customers["diamond"]


# Nobody was held out: no effect, whatever those who were contacted bought.
CAMPAIGNS = [("no_holdout", 24, 6065, 5816, 0), ("pending", 3, 524, None, 0)]


@pytest.mark.parametrize("name", NEEDS)
def test_a_real_data_set(compiled, tmp_path, name):
    raw = write_raw(EXAMPLES / name, public_folder(name), tmp_path / "raw")
    project = compiled(**NEEDS[name]).only(
        *("tier_summary", "reconciliation", "segment_profiles", "campaign_effects")
    )
    with project.build(raw) as connection:
        customers = tiers(connection)
        incomes = known_incomes(connection)
        campaigns = connection.execute(
            "select effect_status, count(*), sum(treated), sum(treated_responses), count(effect) "
            "from marts.campaign_effects where dimension = 'all' group by 1 order by 1"
        ).fetchall()
        lost = connection.execute(
            "select source_table, rows_in from quality.reconciliation "
            "where source_table in ('customers', 'orders') and rows_staged = 0"
        ).fetchall()
    assert lost == []
    assert_pyramid(customers)
    assert incomes == ({} if name != "completejourney" else INCOMES)
    assert campaigns == ([] if name != "completejourney" else CAMPAIGNS)


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


def test_the_made_up_bank(compiled, tmp_path):
    """What examples/bank/README.md says came out."""
    raw = write_raw(EXAMPLES / "bank", bank_folder(tmp_path / "bank"), tmp_path / "raw")
    with compiled(score_profile="finance").build(raw) as connection:
        customers = tiers(connection)
        bands = connection.execute(
            """
            select high_net_worth, count(*), count(*) filter (tier_code = 'none'), round(sum(average_balance) / 1e6, 1)
            from marts.customers where high_net_worth is not null group by 1
            """
        ).fetchall()
        expired = connection.execute(
            "select observed, amount from quality.warnings where warning_code = 'expired_balances'"
        ).fetchall()
        rejected = connection.execute("select count(*) from quality.rejected_records").fetchone()
    assert_pyramid(customers)
    assert customers == {"diamond": 2, "platinum": 15, "gold": 94, "silver": 158, "bronze": 122}
    assert {band: tuple(map(float, figures)) for band, *figures in bands} == {
        "mass": (293, 0, 21.9),
        "affluent": (38, 0, 27.9),
        "high_net_worth": (28, 2, 76.0),
        "private_banking": (39, 6, 537.5),
    }
    assert expired == [(6, Decimal("3423967.97"))]
    assert rejected == (0,)


def test_the_same_seed_makes_the_same_bank():
    assert generate(seed=3, clients=100) == generate(seed=3, clients=100)
    assert generate(seed=3, clients=100) != generate(seed=4, clients=100)
