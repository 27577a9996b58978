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
