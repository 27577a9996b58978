"""A build as of a date gives the closed rows that every later build has up to that date."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from compiled_project import ANY_DATE, PROJECT
from public_examples import EXAMPLES, public_folder, write_raw

CLOSED = {
    "customer_periods": "select * from marts.customer_periods where not is_open_period and period_end <= $1",
    "rfm_score_edges": """
        select edges.* from marts.rfm_score_edges as edges
        inner join marts.review_periods as periods on edges.period_end = periods.period_end
        where not periods.is_open_period and edges.period_end <= $1
    """,
    "tier_summary": """
        select summary.* from marts.tier_summary as summary
        inner join marts.review_periods as periods on summary.period_end = periods.period_end
        where not periods.is_open_period and summary.period_end <= $1
    """,
    "tier_transitions": """
        select transitions.* from marts.tier_transitions as transitions
        inner join marts.review_periods as periods on transitions.to_period_end = periods.period_end
        where not periods.is_open_period and transitions.to_period_end <= $1
    """,
    "tier_change_details": """
        select details.* from marts.tier_change_details as details
        inner join marts.review_periods as periods on details.period_end = periods.period_end
        where not periods.is_open_period and details.period_end <= $1
    """,
    "market_trends": """
        select * from marts.market_trends where not is_open_period and period_end <= $1
    """,
    "category_flows": """
        select * from marts.category_flows where not is_open_period and period_end <= $1
    """,
    "recommendation_backtest": """
        select * from marts.recommendation_backtest where tested_until <= $1
    """,
    # what was current then may have ended since
    "customer_tier_history": """
        select * exclude (valid_to, is_current), case when valid_to <= $1 then valid_to end as valid_to
        from marts.customer_tier_history where valid_from <= $1
    """,
    "alert_reviews": """
        select
            customers.customer_id, periods.period_end,
            reviews.* exclude (customer_key, period_index)
        from intermediate.int_alert_reviews as reviews
        inner join intermediate.int_customers as customers using (customer_key)
        inner join intermediate.int_review_periods as periods using (period_index)
        where not periods.is_open_period and periods.period_end <= $1
    """,
    # those raised by a closed review; the open period may have resolved one for the time being
    "customer_alerts": """
        select
            alerts.customer_id, alerts.alert_code, alerts.raised_on,
            case when not resolved.is_open_period then alerts.evidence end as evidence,
            case when not resolved.is_open_period then alerts.resolved_on end as resolved_on
        from marts.customer_alerts as alerts
        inner join marts.review_periods as raised on alerts.raised_on = raised.period_end
        left join marts.review_periods as resolved
            on alerts.resolved_on = resolved.period_end and resolved.period_end <= $1
        where not raised.is_open_period and raised.period_end <= $1
    """,
}


def closed_rows(connection: duckdb.DuckDBPyConnection, day: str) -> dict[str, list[tuple]]:
    return {
        name: sorted(connection.execute(query, [day]).fetchall(), key=repr)
        for name, query in CLOSED.items()
    }


def assert_same_history(project, raw: Path, days: list[str], latest: str) -> None:
    with project.build(raw, as_of_date=latest) as later:
        expected = {day: closed_rows(later, day) for day in days}
    for day in days:
        with project.build(raw, as_of_date=day) as then:
            found = closed_rows(then, day)
        for name in CLOSED:
            assert found[name] == expected[day][name], f"{name} as of {day}"
        assert found["customer_periods"], f"no closed rows as of {day}"


@pytest.fixture(scope="module")
def project(compiled):
    return compiled(as_of_date=ANY_DATE).only(*(set(CLOSED) - {"alert_reviews"}))


def test_the_sample(project):
    days = ["2024-02-29", "2024-12-30", "2024-12-31", "2025-07-17"]
    assert_same_history(project, PROJECT / "sample", days, "2025-12-15")


def test_online_retail(project, tmp_path):
    raw = write_raw(EXAMPLES / "online_retail", public_folder("online_retail"), tmp_path / "raw")
    days = ["2011-02-28", "2011-06-15"]
    assert_same_history(project, raw, days, "2011-12-09")


def test_a_build_as_of_the_end_of_a_period_has_no_open_row(project):
    periods = project.only("review_periods")
    with periods.build(PROJECT / "sample", as_of_date="2024-02-29") as connection:
        assert (
            connection.execute(
                "select max(period_end), bool_or(is_open_period) from marts.review_periods"
            ).fetchone()[1]
            is False
        )


def test_an_open_period_shows_no_downgrade(project):
    periods = project.only("customer_periods")
    with periods.build(PROJECT / "sample", as_of_date="2025-07-17") as connection:
        changes = connection.execute(
            "select distinct change_type from marts.customer_periods where is_open_period"
        ).fetchall()
    assert {change for (change,) in changes} <= {"enter", "upgrade", "keep", "leave", None}
