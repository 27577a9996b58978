"""Every mart beside the oracle, row for row and column for column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import duckdb
from oracle import Result
from oracle.campaigns import CampaignEffect
from oracle.economics import Concentration, TierEconomics

SHOWN = 5  # differences shown of each mart


def rounded(value: Fraction | Decimal | None, places: int) -> Decimal | None:
    """A ratio to some decimals, half up."""
    if value is None:
        return None
    return Decimal(floor(Fraction(value) * 10**places + Fraction(1, 2))).scaleb(-places)


def differences(
    connection: duckdb.DuckDBPyConnection, result: Result, only: Collection[str] = ()
) -> list[str]:
    """Say where the marts (and the ledger), or those named, differ from the oracle; empty when they are equal."""
    found = []
    as_of_date = connection.execute("select as_of_date from intermediate.int_as_of").fetchone()[0]
    if as_of_date != result.as_of_date:
        found.append(f"as_of_date: {as_of_date}, expected {result.as_of_date}")
    for name, query, columns, expected in _comparisons(result):
        if only and name not in only:
            continue
        rows = connection.execute(f"select {', '.join(columns)} from {query}").fetchall()
        found += _compare(name, columns, Counter(rows), Counter(expected))
    return found


def _compare(name: str, columns: list[str], rows: Counter, expected: Counter) -> list[str]:
    missing, unexpected = expected - rows, rows - expected
    if not missing and not unexpected:
        return []
    lines = [
        f"{name} ({', '.join(columns)}): {missing.total()} missing, {unexpected.total()} unexpected"
    ]
    for title, group in (("missing", missing), ("unexpected", unexpected)):
        lines += [f"  {title}: {row}" for row in sorted(group, key=repr)[:SHOWN]]
    return lines


def _rows(
    items: Iterable[Any],
    columns: list[str],
    changed: Mapping[str, Callable[[Any], Any]] | None = None,
) -> list[tuple]:
    """The columns of each item, some of them computed."""
    changed = changed or {}
    return [
        tuple(changed[c](item) if c in changed else getattr(item, c) for c in columns)
        for item in items
    ]


def _movements_and_answers(result: Result) -> Iterable[tuple]:
    """What each review finds changed since the one before, and the answers in its window."""
    before: dict[str, Any] = {}
    for (customer_id, period_end), row in sorted(result.customer_periods.items()):
        last = before.get(customer_id)
        was_active = last is not None and last.frequency > 0
        ratings = row.input_values["csat_answers"]
        yield (
            *(customer_id, period_end, last.tier_code if last else "none", was_active),
            was_active and row.segment_code == "lapsed",
            row.input_values.get("nps"),
            row.input_values.get("csat", 0) * ratings,
            ratings,
        )
        before[customer_id] = row


def _comparisons(result: Result) -> Iterable[tuple[str, str, list[str], list[tuple]]]:
    yield (
        "int_customer_ledger",
        "intermediate.int_customer_ledger join intermediate.int_customers using (customer_key)",
        columns
        := "customer_id order_date known_date orders_delta revenue_delta refunded_amount".split(),
        _rows(result.ledger, columns, {"refunded_amount": lambda row: row.refunded}),
    )
    yield (
        "int_account_balances",
        "intermediate.int_account_balances as balances "
        "join intermediate.int_customers as customers using (customer_key) where reject_reason is null",
        (
            "customers.customer_id balances.customer_id account_id currency_code balance_date "
            "balance_reporting"
        ).split(),
        [tuple(row) for row in result.account_balances],
    )
    yield (
        "customer_attributes",
        "marts.customer_attributes",
        "customer_id attribute value".split(),
        [tuple(row) for row in result.customer_attributes],
    )
    yield (
        "rejected_records",
        "quality.rejected_records",
        columns := "source_table source_key action reject_reason column_name".split(),
        _rows(result.rejected_records, columns),
    )
    yield (
        "reconciliation",
        "quality.reconciliation",
        columns := (
            "source_table rows_in rows_staged rows_duplicate rows_rejected "
            "amount_in amount_staged amount_duplicate amount_rejected "
            "rows_undecided amount_undecided rows_unused"
        ).split(),
        _rows(result.reconciliation.values(), columns),
    )
    yield (
        "review_periods",
        "marts.review_periods",
        columns := "period_end period_start is_open_period".split(),
        _rows(result.review_periods, columns),
    )
    yield (
        "rfm_score_edges",
        "marts.rfm_score_edges",
        columns := (
            "period_end metric method edge_1 edge_2 edge_3 edge_4 customers distinct_edges "
            "is_small_population"
        ).split(),
        _rows(
            result.rfm_score_edges.values(),
            columns,
            {"distinct_edges": lambda row: len(set(row.values) - {None})},
        ),
    )
    current = [
        row
        for (_, period_end), row in result.customer_periods.items()
        if period_end == result.as_of_date
    ]
    scores = (
        "value_score growth_score loyalty_score satisfaction_score engagement_score "
        "partnership_score management_score score_coverage"
    )
    yield (
        "customer_periods",
        "marts.customer_periods",
        columns := (
            "customer_id period_end period_start is_open_period recency_days frequency monetary "
            f"period_revenue r_score f_score m_score segment_code {scores} lifecycle_stage "
            "demand_type favourite_category favourite_channel channel_mix "
            "qualified_tier_code tier_code tier_rank change_type reason_code is_provisional "
            "newest_balance average_balance"
        ).split(),
        _rows(result.customer_periods.values(), columns),
    )
    yield (
        "customer_periods, what metrics add up",
        "marts.customer_periods",
        (
            "customer_id period_end tier_code_before is_active_before is_newly_lapsed nps_answer "
            "csat_sum csat_answers"
        ).split(),
        list(_movements_and_answers(result)),
    )
    yield (
        "int_lifecycle_stages",
        "intermediate.int_lifecycle_stages join intermediate.int_customers using (customer_key) "
        "join intermediate.int_review_periods using (period_index)",
        columns := (
            "customer_id period_end lifecycle_stage order_days last_gap_days expected_gap_days "
            "has_own_gap"
        ).split(),
        _rows(result.customer_periods.values(), columns),
    )
    yield (
        "int_tier_states",
        "intermediate.int_tier_states join intermediate.int_customers using (customer_key) "
        "join intermediate.int_review_periods using (period_index) where not is_open_period",
        "customer_id period_end qualified_rank reviews_held reviews_in_grace".split(),
        _rows(
            [row for row in result.customer_periods.values() if not row.is_open_period],
            "customer_id period_end q reviews_held grace".split(),
        ),
    )
    yield (
        "customer_rfm",
        "marts.customer_rfm",
        columns := (
            "customer_id as_of_date recency_days frequency monetary r_score f_score m_score "
            "rfm_cell segment_code value_matrix_code"
        ).split(),
        _rows(current, columns, {"as_of_date": lambda row: result.as_of_date}),
    )
    yield (
        "customer_scores",
        "marts.customer_scores",
        columns := (
            f"customer_id as_of_date {scores} star_rating largest_lift_input largest_lift_points"
        ).split(),
        _rows(result.customer_scores.values(), columns),
    )
    yield (
        "customer_score_details",
        "marts.customer_score_details",
        columns
        := "customer_id component input input_value normalised_value coverage weight points".split(),
        _rows(
            result.score_details.values(),
            columns,
            {"input_value": lambda row: rounded(row.input_value, 4)},
        ),
    )
    yield (
        "net_promoter_scores",
        "marts.net_promoter_scores",
        columns := (
            "period_end dimension dimension_value answers promoters detractors net_promoter_score"
        ).split(),
        _rows(result.net_promoter_scores.values(), columns),
    )
    yield (
        "customer_tiers",
        "marts.customer_tiers",
        columns := (
            "customer_id as_of_date tier_code tier_rank qualified_tier_code previous_tier_code "
            "tier_since change_type reason_code is_provisional points_to_keep points_to_next "
            "orders_to_next revenue_to_next protected_until next_review_on"
        ).split(),
        _rows(result.customer_tiers.values(), columns),
    )
    yield (
        "customer_tier_history",
        "marts.customer_tier_history",
        columns := (
            "customer_id tier_code valid_from valid_to previous_tier_code change_type reason_code "
            "is_current"
        ).split(),
        _rows(result.customer_tier_history.values(), columns),
    )
    yield (
        "customer_tier_targets",
        "marts.customer_tier_targets",
        columns := (
            "customer_id tier_code tier_rank points_missing orders_missing revenue_missing"
        ).split(),
        _rows(result.customer_tier_targets.values(), columns),
    )
    yield (
        "tier_change_details",
        "marts.tier_change_details",
        columns := (
            "customer_id period_end component input input_value_before input_value_after "
            "points_before points_after points_change is_own_behaviour is_reason compared_period_end"
        ).split(),
        _rows(
            result.tier_change_details.values(),
            columns,
            {
                name: lambda row, name=name: rounded(getattr(row, name), 4)
                for name in ("input_value_before", "input_value_after")
            },
        ),
    )
    yield (
        "tier_transitions",
        "marts.tier_transitions",
        columns := (
            "from_period_end to_period_end from_tier_code to_tier_code customers window_revenue"
        ).split(),
        _rows(result.tier_transitions.values(), columns),
    )
    shares = "window_revenue_share cumulative_revenue_share repeat_rate churn_rate".split()
    yield (
        "tier_summary",
        "marts.tier_summary",
        columns := [
            *"period_end tier_code customers lapsed_customers window_revenue period_revenue".split(),
            "average_order_value",
            *shares,
        ],
        _rows(
            result.tier_summary.values(),
            columns,
            {
                "average_order_value": lambda row: rounded(row.average_order_value, 2),
                **{name: lambda row, name=name: rounded(getattr(row, name), 6) for name in shares},
            },
        ),
    )
    attributes = ("customer_type country_code region city gender acquisition_channel").split()
    yield (
        "customers",
        "marts.customers",
        columns := (
            f"customer_id is_inferred {' '.join(attributes)} first_order_on last_order_on "
            "parent_customer_id root_customer_id reviewed_customer_id group_depth industry industry_group "
            "industry_in_source company_size company_size_in_source "
            "lifetime_orders lifetime_revenue favourite_category favourite_channel channel_mix "
            "demand_type lifecycle_stage segment_code value_class purchasing_power purchase_frequency_band "
            "buyer_type management_score star_rating tier_code tier_rank tier_since "
            "high_net_worth newest_balance average_balance"
        ).split(),
        _rows(
            result.customers.values(),
            columns,
            {name: lambda row, name=name: (row.attributes or {}).get(name) for name in attributes},
        ),
    )
    yield (
        "orders",
        "marts.orders",
        columns := (
            "order_id customer_id order_date status order_amount order_amount_reporting "
            "refunded_amount net_amount is_valid is_first_order tier_code_at_order"
        ).split(),
        _rows(result.orders.values(), columns),
    )
    yield (
        "products",
        "marts.products",
        columns := (
            "product_id product_name category product_type is_inferred first_ordered_on last_ordered_on"
        ).split(),
        _rows(result.products, columns),
    )
    yield (
        "order_items",
        "marts.order_items",
        columns := (
            "order_id line_number customer_id order_date product_id product_name category "
            "product_type line_amount"
        ).split(),
        _rows(result.order_items, columns),
    )
    yield (
        "customer_cohorts",
        "marts.customer_cohorts",
        columns := (
            "cohort_month months_since month_start customers active_customers orders revenue "
            "is_open_month"
        ).split(),
        _rows(result.customer_cohorts, columns),
    )
    yield (
        "cohort_repeat_rates",
        "marts.cohort_repeat_rates",
        columns := (
            "cohort_month within_days customers observed_customers repeat_customers repeat_rate"
        ).split(),
        _rows(
            result.cohort_repeat_rates,
            columns,
            {"repeat_rate": lambda row: rounded(row.repeat_rate, 6)},
        ),
    )
    yield (
        "customer_categories",
        "marts.customer_categories",
        columns := (
            "customer_id category category_rank orders revenue revenue_share first_order_on "
            "last_order_on"
        ).split(),
        _rows(result.customer_categories, columns),
    )
    yield (
        "market_trends",
        "marts.market_trends",
        columns := (
            "period_end period_start is_open_period dimension dimension_value customers "
            "new_customers new_share orders revenue average_order_value revenue_year_before"
        ).split(),
        _rows(
            result.market_trends,
            columns,
            {
                "new_share": lambda row: rounded(row.new_share, 6),
                "average_order_value": lambda row: rounded(row.average_order_value, 2),
            },
        ),
    )
    yield (
        "segment_profiles",
        "marts.segment_profiles",
        columns := (
            "segment_kind segment_code dimension dimension_value customers window_revenue "
            "customer_share index_to_average is_small_group"
        ).split(),
        _rows(
            result.segment_profiles,
            columns,
            {
                "customer_share": lambda row: rounded(row.customer_share, 6),
                "index_to_average": lambda row: rounded(row.index_to_average, 2),
            },
        ),
    )
    yield (
        "product_affinity",
        "marts.product_affinity",
        columns := (
            "affinity_kind first_id second_id baskets first_baskets second_baskets all_baskets "
            "support confidence lift customers"
        ).split(),
        _rows(
            result.product_affinity,
            columns,
            {
                "support": lambda row: rounded(row.support, 6),
                "confidence": lambda row: rounded(row.confidence, 6),
                "lift": lambda row: rounded(row.lift, 6),
            },
        ),
    )
    yield (
        "customer_recommendations",
        "marts.customer_recommendations",
        columns := (
            "customer_id recommended_kind recommended_id recommended_name because_id because "
            "recommendation_rank confidence lift as_of_date"
        ).split(),
        _rows(
            result.customer_recommendations,
            columns,
            {
                "confidence": lambda row: rounded(row.confidence, 6),
                "lift": lambda row: rounded(row.lift, 6),
            },
        ),
    )
    yield (
        "recommendation_backtest",
        "marts.recommendation_backtest",
        columns := (
            "recommended_kind predictor customers hits hit_rate as_of_date tested_until"
        ).split(),
        _rows(
            result.recommendation_backtest,
            columns,
            {"hit_rate": lambda row: rounded(Fraction(row.hits, row.customers), 6)},
        ),
    )
    yield (
        "category_flows",
        "marts.category_flows",
        columns := (
            "from_category to_category customers revenue is_open_period period_end"
        ).split(),
        _rows(result.category_flows, columns),
    )
    lists = "customer_id contact_group tier_code is_preliminary reviewed_on assigned_on"
    for name, relation, expected in (
        ("published_holdouts", "history.published_holdouts", result.published_holdouts),
        ("holdout_assignments", "marts.holdout_assignments", result.holdout_assignments),
    ):
        yield (name, relation, columns := f"campaign_id {lists}".split(), _rows(expected, columns))
    rates = {
        name: lambda row, name=name: rounded(getattr(row, name), 6)
        for name in ("treated_rate", "held_out_rate")
    }
    yield (
        "campaign_effects",
        "marts.campaign_effects",
        columns := [field.name for field in fields(CampaignEffect)],
        _rows(result.campaign_effects, columns, rates),
    )
    figures = "measure value_now value_before detail"
    yield (
        "int_alert_reviews",
        "intermediate.int_alert_reviews join intermediate.int_customers using (customer_key) "
        "join intermediate.int_review_periods using (period_index)",
        columns := f"customer_id period_end alert_code severity action_code {figures}".split(),
        _rows(result.alert_reviews.values(), columns),
    )
    yield (
        "customer_alerts",
        "marts.customer_alerts",
        columns := (
            "customer_id alert_code severity evidence recommended_action_code value_now "
            "value_before is_open raised_on resolved_on"
        ).split(),
        _rows(result.customer_alerts.values(), columns),
    )
    yield (
        "customer_actions",
        "marts.customer_actions",
        columns := (
            "customer_id action_code owner_department channel offer because recommended_kind "
            "recommended_id recommended_name priority is_contactable due_on last_contact_on as_of_date"
        ).split(),
        _rows(
            result.customer_actions.values(),
            columns,
            {"as_of_date": lambda row: result.as_of_date if result.review_periods else None},
        ),
    )
    yield (
        "account_rollups",
        "marts.account_rollups",
        columns := (
            "root_customer_id tier_code members members_with_orders recency_days frequency monetary "
            "window_revenue lifetime_orders lifetime_revenue r_score f_score m_score management_score "
            "score_coverage first_order_on last_order_on as_of_date"
        ).split(),
        _rows(result.account_rollups, columns),
    )
    yield (
        "customer_profiles",
        "marts.customer_profiles",
        columns := (
            "customer_id root_customer_id attributes tier_code alert_codes alert_code alert_severity alert_evidence action_codes "
            "action_code action_department action_channel action_offer action_recommendation action_because_en action_due_on "
            "points_to_next management_score high_net_worth newest_balance average_balance "
            "lifetime_orders lifetime_revenue first_order_on "
            "last_order_on is_provisional next_review_on alert_raised_on as_of_date"
        ).split(),
        _rows(
            result.customer_profiles,
            columns,
            {
                name: lambda row, name=name: rounded(getattr(row, name), 2)
                for name in ("points_to_next", "management_score")
            },
        ),
    )
    shares = {
        name: lambda row, name=name: rounded(getattr(row, name), 6)
        for name in (
            "top_1_share top_5_share top_20_share gini window_revenue_share retention_rate"
        ).split()
    }
    means = {
        name: lambda row, name=name: rounded(getattr(row, name), 2)
        for name in ("service_contacts_per_customer", "campaign_cost_per_customer")
    }
    yield (
        "revenue_concentration",
        "marts.revenue_concentration",
        columns := [field.name for field in fields(Concentration)],
        _rows(result.revenue_concentration, columns, shares),
    )
    yield (
        "tier_economics",
        "marts.tier_economics",
        columns := [field.name for field in fields(TierEconomics)],
        _rows(result.tier_economics, columns, shares | means),
    )
    unplaced = result.campaign_costs.unplaced
    yield (
        "warnings",
        "quality.warnings where warning_code = 'unplaced_campaign_cost'",
        "subject observed amount".split(),
        [("campaigns", len(unplaced), sum(unplaced))] if unplaced else [],
    )
