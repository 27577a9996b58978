"""Metrics give what plain SQL on the marts gives, by every dimension, and the marts that count the same agree.

MetricFlow plans the queries in this process, and DuckDB runs them on the sample's publication.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt_in_process import semantic_manifest
from made_once import PROJECT
from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

from customer_tiering.building import dbt_command

Figures = dict[tuple, dict[str, Any]]

NEWEST = """
    select
        {group}, count(*) as customers,
        count(*) filter (frequency > 0) as active_customers,
        count(*) filter (frequency > 1) as repeat_customers,
        count(*) filter (frequency > 1) / nullif(count(*) filter (frequency > 0), 0) as repeat_rate,
        avg(review.management_score) as management_score,
        sum(review.newest_balance) as balance, sum(review.average_balance) as average_balance,
        count(nps_answer) as nps_answers,
        count(*) filter (nps_answer > 8) - count(*) filter (nps_answer < 7) as nps_surplus,
        100 * (count(*) filter (nps_answer > 8) - count(*) filter (nps_answer < 7))
        / nullif(count(nps_answer), 0) as nps,
        sum(csat_answers) as csat_ratings,
        sum(csat_sum) as csat_rating_sum,
        sum(csat_sum) / nullif(sum(csat_answers), 0) as csat
    from marts.customer_periods as review
    join marts.customers as customer using (customer_id)
    where period_end in (select max(period_end) from marts.review_periods group by {newest_of})
    group by {group}
"""
MOVES = """
    select
        {group}, count(*) filter (is_newly_lapsed) as churned_customers,
        count(*) filter (is_active_before) as customers_active_before,
        count(*) filter (is_newly_lapsed) / nullif(count(*) filter (is_active_before), 0)
            as churn_rate,
        count(*) filter (change_type = 'upgrade') as upgrades,
        count(*) filter (change_type = 'downgrade') as downgrades
    from marts.customer_periods as review
    join marts.customers as customer using (customer_id)
    group by {group}
"""
ORDERS = """
    select
        {group}, sum(net_amount) as revenue,
        count(*) filter (is_valid) as orders,
        sum(net_amount) / nullif(count(*) filter (is_valid), 0) as average_order_value
    from marts.orders as "order" left join marts.customers as customer using (customer_id)
    group by {group}
"""
ALERTS = """
    select {group}, count(*) filter (is_open) as open_alerts
    from marts.customer_alerts as alert join marts.customers as customer using (customer_id)
    group by {group}
"""
ACTIONS = """
    select {group}, count(*) filter (action_code <> 'none') as actions
    from marts.customer_actions as action join marts.customers as customer using (customer_id)
    group by {group}
"""
FAMILIES = {
    NEWEST: "period_end",
    MOVES: "period_end",
    ORDERS: "order_date",
    ALERTS: "raised_on",
    ACTIONS: "as_of_date",
}
OF_ALL = (
    *("tier_code", "segment_code", "lifecycle_stage", "customer_type", "country_code", "region"),
    *("industry", "company_size", "acquisition_channel", "demand_type", "favourite_category"),
    *("favourite_channel", "channel_mix", "age_band", "gender", "industry_group", "high_net_worth"),
)
OF_SOME = {
    "review__tier_code": (NEWEST, MOVES),
    "review__tier_code_before": (MOVES,),
    "review__segment_code": (NEWEST, MOVES),
    "review__lifecycle_stage": (NEWEST, MOVES),
    "review__demand_type": (NEWEST, MOVES),
    "review__favourite_channel": (NEWEST, MOVES),
    "review__channel_mix": (NEWEST, MOVES),
    "review__reason_code": (MOVES,),
    "order__channel": (ORDERS,),
    "order__tier_code_at_order": (ORDERS,),
    "order__is_first_order": (ORDERS,),
    "alert__alert_code": (ALERTS,),
    "alert__severity": (ALERTS,),
    "action__action_code": (ACTIONS,),
    "action__owner_department": (ACTIONS,),
}


# By dimension and value of market_trends, not of customers.
OF_MARKETS = {
    "market_revenue": "revenue",
    "market_revenue_year_before": "revenue_year_before",
    "market_orders": "orders",
    "market_new_customers": "new_customers",
}
# By tier of tier_economics, likewise.
OF_TIERS = {
    "tier_growth_potential": "growth_potential",
    "tier_revenue_at_risk": "revenue_at_risk",
    "tier_service_contacts": "service_contacts",
    "tier_campaign_cost": "campaign_cost",
    "tier_budget_share": "recommended_budget_share",
}
OF_CAMPAIGNS = ["campaigns", "campaign_incremental_revenue", "campaign_cost"]

# By the columns of their own marts: metrics, dimensions, and the same as plain SQL.
OF_FLOWS = (
    ["category_flow_revenue"],
    ["metric_time__month", "category_flow__from_category", "category_flow__to_category"],
    "select cast(date_trunc('month', period_end) as date), from_category, to_category, "
    "sum(revenue) as category_flow_revenue from marts.category_flows group by 1, 2, 3",
)
OF_BACKTESTS = (
    ["recommendation_customers", "recommendation_hits", "recommendation_hit_rate"],
    ["metric_time__year", "backtest__recommended_kind", "backtest__predictor"],
    "select cast(date_trunc('year', tested_until) as date), recommended_kind, predictor, "
    "sum(customers) as recommendation_customers, sum(hits) as recommendation_hits, "
    "sum(hits) / sum(customers) as recommendation_hit_rate "
    "from marts.recommendation_backtest group by 1, 2, 3",
)


class Planner:
    """What MetricFlow wants to know of a database to write SQL for it."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


@pytest.fixture(scope="module")
def engine() -> MetricFlowEngine:
    manifest = parse_manifest_from_dbt_generated_manifest(semantic_manifest())
    return MetricFlowEngine(SemanticManifestLookup(manifest), Planner())


@pytest.fixture(scope="module")
def published(sample_warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The publication, under the name that the work database has in the plans."""
    with duckdb.connect() as connection:
        file = sample_warehouse / "customer_tiering.duckdb"
        connection.execute(f"attach '{file}' as work (read_only)")
        connection.execute("use work")
        yield connection


def figures(connection: duckdb.DuckDBPyConnection, sql: str, groups: int) -> Figures:
    """Rows by their first columns; unknown counts as 0, and rows of zeros are left out."""
    result = connection.execute(sql)
    names = [column[0] for column in result.description][groups:]
    found = {}
    for row in result.fetchall():
        values = {
            # to a millionth, as ratios are floats
            name: round(Decimal(str(value or 0)), 6)
            for name, value in zip(names, row[groups:], strict=True)
        }
        if any(values.values()):
            key = (cell.date() if isinstance(cell, datetime) else cell for cell in row[:groups])
            found[tuple(key)] = values
    return found


def metrics(
    engine: MetricFlowEngine,
    connection: duckdb.DuckDBPyConnection,
    names: list[str],
    group_by: list[str],
) -> Figures:
    request = MetricFlowQueryRequest.create(metric_names=names, group_by_names=group_by)
    sql = engine.explain(request).sql_statement.sql
    return figures(connection, sql, len(group_by))


def plain(
    connection: duckdb.DuckDBPyConnection, families: Any, group: str, grain: str = ""
) -> Figures:
    """The figures of some families by plain SQL, by a column or by the day of each, cut to a grain."""
    merged: Figures = {}
    for family in families:
        by = group or f"cast(date_trunc('{grain}', {FAMILIES[family]}) as date)"
        newest_of = f"date_trunc('{grain}', period_end)" if grain else "()"
        found = figures(connection, family.format(group=by, newest_of=newest_of), 1)
        for key, values in found.items():
            merged.setdefault(key, {}).update(values)
    return merged


def names_of(connection: duckdb.DuckDBPyConnection, families: Any) -> list[str]:
    return [
        column[0]
        for family in families
        for column in connection.execute(family.format(group="1", newest_of="()")).description[1:]
    ]


def assert_equal(found: Figures, expected: Figures) -> None:
    """Equal to the millionth; what one side does not have is 0."""
    assert found.keys() == expected.keys()
    assert len(found) > 1
    for key, values in found.items():
        for name, value in values.items():
            other = expected[key].get(name, Decimal(0))
            assert abs(value - other) <= Decimal("0.000001"), (key, name, value, other)


@pytest.mark.parametrize("dimension", OF_ALL)
def test_all_metrics_by_a_dimension_of_customers(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection, dimension: str
) -> None:
    names = names_of(published, FAMILIES)
    others = [*OF_MARKETS, *OF_TIERS, *OF_CAMPAIGNS, *OF_FLOWS[0], *OF_BACKTESTS[0]]
    assert sorted([*names, *others]) == sorted(metric.name for metric in engine.list_metrics(False))
    found = metrics(engine, published, names, [f"customer__{dimension}"])
    assert_equal(found, plain(published, FAMILIES, f"customer.{dimension}"))


@pytest.mark.parametrize("grain", ["month", "quarter"])
def test_all_metrics_by_time(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection, grain: str
) -> None:
    """A quarter has more than one review: the newest counts."""
    names = names_of(published, FAMILIES)
    found = metrics(engine, published, names, [f"metric_time__{grain}"])
    assert_equal(found, plain(published, FAMILIES, "", grain))


@pytest.mark.parametrize("dimension", OF_SOME)
def test_metrics_by_a_dimension_of_their_own(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection, dimension: str
) -> None:
    families = OF_SOME[dimension]
    found = metrics(engine, published, names_of(published, families), [dimension])
    entity, _, column = dimension.partition("__")
    assert_equal(found, plain(published, families, f'"{entity}".{column}'))


def test_metrics_agree_with_the_marts_that_count_the_same(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection
) -> None:
    by_tier = ["metric_time__day", "review__tier_code"]
    assert_equal(
        metrics(engine, published, ["customers", "repeat_rate"], by_tier),
        figures(
            published,
            "select period_end, tier_code, customers, repeat_rate from marts.tier_summary",
            2,
        ),
    )
    assert_equal(
        metrics(
            engine, published, ["churn_rate"], ["metric_time__day", "review__tier_code_before"]
        ),
        figures(published, "select period_end, tier_code, churn_rate from marts.tier_summary", 2),
    )
    found = metrics(engine, published, ["nps_answers", "nps"], by_tier)
    for values in found.values():
        values["nps"] = round(values["nps"], 2)
    expected = figures(
        published,
        "select period_end, dimension_value, answers as nps_answers, net_promoter_score as nps "
        "from marts.net_promoter_scores where dimension = 'tier'",
        2,
    )
    assert found.keys() == expected.keys()
    assert all(
        abs(found[key]["nps"] - row["nps"]) <= Decimal("0.01") for key, row in expected.items()
    )


def test_metrics_of_markets_are_those_of_market_trends(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection
) -> None:
    sums = ", ".join(f"sum({column}) as {name}" for name, column in OF_MARKETS.items())
    by = ["metric_time__quarter", "market_trend__dimension", "market_trend__dimension_value"]
    assert_equal(
        metrics(engine, published, list(OF_MARKETS), by),
        figures(
            published,
            "select cast(date_trunc('quarter', period_end) as date), dimension, dimension_value, "
            f"{sums} from marts.market_trends group by 1, 2, 3",
            3,
        ),
    )


@pytest.mark.parametrize("family", [OF_FLOWS, OF_BACKTESTS], ids=lambda family: family[0][0])
def test_metrics_of_flows_and_backtests_are_those_of_their_marts(
    engine: MetricFlowEngine,
    published: duckdb.DuckDBPyConnection,
    family: tuple[list[str], list[str], str],
) -> None:
    names, by, query = family
    assert_equal(metrics(engine, published, names, by), figures(published, query, 3))


def test_metrics_of_campaigns_are_those_of_campaign_effects(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection
) -> None:
    assert_equal(
        metrics(
            engine,
            published,
            OF_CAMPAIGNS,
            ["metric_time__quarter", "campaign__effect_status"],
        ),
        figures(
            published,
            "select cast(date_trunc('quarter', window_ends_on) as date), effect_status, count(*) as campaigns, "
            "sum(incremental_revenue) as campaign_incremental_revenue, "
            "sum(cost) filter (effect_status = 'judged') as campaign_cost "
            "from marts.campaign_effects where dimension = 'all' group by 1, 2",
            2,
        ),
    )


def test_metrics_of_tiers_are_those_of_tier_economics(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection
) -> None:
    sums = ", ".join(f"{column} as {name}" for name, column in OF_TIERS.items())
    assert_equal(
        metrics(engine, published, list(OF_TIERS), ["metric_time__day", "tier__tier_code"]),
        figures(published, f"select as_of_date, tier_code, {sums} from marts.tier_economics", 2),
    )


def test_saved_queries_give_rows(
    engine: MetricFlowEngine, published: duckdb.DuckDBPyConnection
) -> None:
    queries = engine.list_saved_queries()
    assert len(queries) == 7
    for query in queries:
        request = MetricFlowQueryRequest.create(saved_query_name=query.name)
        sql = engine.explain(request).sql_statement.sql
        assert published.execute(sql).fetchall(), query.name


def test_a_refresh_builds_in_its_own_target_whatever_the_shell_has_for_metrics(
    tmp_path: Path,
) -> None:
    """dbt takes the variable DBT_TARGET unless it is told a target."""
    for words, target in ((("build",), "duckdb"), (("build", "--target", "postgres"), "postgres")):
        command = dbt_command(PROJECT, tmp_path, {}, words)
        places = [place for place, word in enumerate(command) if word == "--target"]
        assert [command[place + 1] for place in places] == [target]
