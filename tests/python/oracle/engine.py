"""All steps in their order, from raw tables to marts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import localcontext

from oracle import (
    accounts,
    actions,
    affinity,
    alerts,
    campaigns,
    cohorts,
    daily_balances,
    economics,
    explanations,
    habits,
    identity,
    lifecycle,
    markets,
    marts,
    money,
    periods,
    products,
    profiles,
    reading,
    rfm,
    rollups,
    scores,
    signals,
    tiers,
)
from oracle.marts import CustomerPeriodRow
from oracle.rules import Rules

# Digits in which products of amounts, rates and weights are exact.
EXACT_DIGITS = 80


@dataclass(frozen=True)
class Result:
    """Everything recomputed. Keys are those of the marts; rows carry their column names.

    ``customer_tiers``, ``customer_scores`` and ``score_details`` are current, that is of the last
    period, and so are ``customers``, ``customer_actions`` and ``customer_profiles``; score details
    are keyed by (customer_id, component, input). ``ledger`` and ``rejected_records`` are sorted.
    """

    as_of_date: date | None
    rejected_records: list[reading.RejectedRecord]
    reconciliation: dict[str, reading.Reconciliation]
    merged_into: dict[str, str]
    ledger: list[money.LedgerRow]
    account_balances: list[accounts.Balance]
    customer_attributes: set[accounts.Attribute]
    review_periods: list[periods.Period]
    rfm_score_edges: dict[tuple[date, str], rfm.Edges]
    customer_periods: dict[tuple[str, date], CustomerPeriodRow]
    score_details: dict[tuple[str, str, str], marts.ScoreDetail]
    customer_scores: dict[str, marts.CustomerScores]
    net_promoter_scores: dict[tuple[date, str, str], marts.NetPromoterScore]
    customer_tiers: dict[str, marts.CustomerTier]
    customer_tier_history: dict[tuple[str, date], marts.TierStretch]
    customer_tier_targets: dict[tuple[str, str], explanations.TierTarget]
    tier_change_details: dict[tuple[str, date, str], explanations.TierChangeDetail]
    tier_transitions: dict[tuple[date, date, str, str], marts.TierTransition]
    tier_summary: dict[tuple[date, str], marts.TierSummary]
    customers: dict[str, marts.Customer]
    orders: dict[str, marts.OrderRow]
    products: list[products.Product]
    order_items: list[products.OrderItem]
    customer_cohorts: list[cohorts.CustomerCohort]
    cohort_repeat_rates: list[cohorts.CohortRepeatRate]
    customer_categories: list[habits.CustomerCategory]
    market_trends: list[markets.MarketTrend]
    segment_profiles: list[markets.SegmentProfile]
    alert_reviews: dict[tuple[str, date, str], alerts.AlertReview]
    customer_alerts: dict[tuple[str, str, date], alerts.CustomerAlert]
    customer_actions: dict[tuple[str, str], actions.CustomerAction]
    customer_profiles: list[profiles.CustomerProfile]
    account_rollups: list[rollups.AccountRollup]
    product_affinity: list[affinity.Affinity]
    customer_recommendations: list[affinity.Recommendation]
    recommendation_backtest: list[affinity.Backtest]
    category_flows: list[markets.CategoryFlow]
    published_holdouts: list[campaigns.Assignment]
    holdout_assignments: list[campaigns.Assignment]
    campaign_effects: list[campaigns.CampaignEffect]
    revenue_concentration: list[economics.Concentration]
    tier_economics: list[economics.TierEconomics]
    campaign_costs: economics.CampaignCosts


def compute(
    raw: reading.RawTables,
    rules: Rules,
    run_date: date,
    published: Sequence[campaigns.Assignment] = (),
) -> Result:
    """Recompute everything from raw tables, as the run of a business date would.

    ``published`` are the lists of hold-outs that earlier builds have published. Raises ValueError for frozen edges without a closed period on their date.
    """
    with localcontext(prec=EXACT_DIGITS):
        return _compute(raw, rules, run_date, published)


def _compute(
    raw: reading.RawTables,
    rules: Rules,
    run_date: date,
    published: Sequence[campaigns.Assignment],
) -> Result:
    staging = reading.stage(raw, rules, run_date)
    merged_into = identity.valid_merges(staging)
    rates = money.price_orders(staging, rules)
    people = identity.resolve_customers(staging, merged_into, rules.tier_level == "group")
    orders = money.build_orders(staging, rates, people)
    ledger = money.build_ledger(orders)
    signals.reject_strangers(staging, people)
    balances = accounts.account_balances(staging, people, rules)

    as_of_date = periods.find_as_of_date(orders, rules, run_date)
    reviews = periods.review_periods(orders, as_of_date, rules)
    orders_of = _by_customer(order for order in orders if order.customer_id is not None)
    own_orders_of = defaultdict(list)
    for order in orders:
        own_orders_of[order.member_id].append(order)
    by_period = _measure(_by_customer(ledger), orders, orders_of, reviews, rules)
    _add_signals(by_period, staging, people, orders, orders_of, rules)
    held = _by_customer(balances)
    balances_of = {
        customer_id: daily_balances.DailyBalances(held.get(customer_id, []), rules)
        for customer_id in people.attributes
    }
    _add_balances(by_period, balances_of)
    edges = rfm.edges_of_periods(
        {period: [row.measures for row in rows.values()] for period, rows in by_period.items()},
        rules,
    )
    for rows in by_period.values():
        _score(rows.values(), edges, rules)
    _add_lifecycles(by_period, _by_customer(ledger), rules)
    for period, rows in by_period.items():
        for customer_id, row in rows.items():
            row.habits = habits.habits(orders_of[customer_id], period.period_end, rules)
    _review(by_period, _by_customer(ledger), rules)

    flat = {
        period.period_end: {
            customer_id: marts.customer_period_row(row, rules) for customer_id, row in rows.items()
        }
        for period, rows in by_period.items()
    }
    rows_of = _by_customer(row for rows in flat.values() for row in rows.values())
    current = flat[reviews[-1].period_end] if reviews else {}
    customers = {
        customer_id: marts.customer(
            customer_id,
            people,
            own_orders_of.get(customer_id, []),
            current.get(people.reviewed(customer_id)),
            balances_of[people.reviewed(customer_id)],
            as_of_date,
            rules,
        )
        for customer_id in people.attributes
    }
    contacts_of = alerts.contacts_of_customers(staging, people)
    raised = alerts.alert_reviews(by_period, contacts_of, _by_customer(ledger), edges, rules)
    stretches = alerts.customer_alerts(raised, reviews)
    catalogue = products.products(staging, orders, as_of_date)
    newest_day = reviews[-1].period_end if reviews else run_date
    purchases = affinity.Purchases(orders_of, newest_day, rules)
    pairs = affinity.affinities(purchases, rules)
    masked = {name for name in customers if actions.ERASED.fullmatch(name)}
    recommended = affinity.recommendations(purchases, pairs, catalogue, masked, newest_day)
    due = actions.customer_actions(
        customers.values(),
        stretches,
        rules,
        contacts_of,
        as_of_date,
        {row.customer_id: row for row in recommended if row.recommendation_rank == 1},
    )
    current_tiers = {
        customer_id: marts.customer_tier(row, reviews[-1], rules)
        for customer_id, row in current.items()
    }
    planned = campaigns.campaigns_of(staging, as_of_date, rules)
    erased = {people.resolve(row["customer_id"]) for row in staging.rows("erasure_requests")}
    lists = campaigns.publish(published, planned, flat, erased, rules)
    assigned, left_out = campaigns.resolve(lists, people, as_of_date)
    begun = cohorts.cohorts_of(orders, as_of_date) if as_of_date else {}
    known_attributes = accounts.customer_attributes(staging, people)
    attributes_of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for attribute in known_attributes:
        attributes_of[attribute.customer_id][attribute.attribute].add(attribute.value)
    return Result(
        as_of_date=as_of_date,
        rejected_records=sorted(staging.records),
        reconciliation={row.source_table: row for row in reading.reconcile(staging)},
        merged_into=merged_into,
        ledger=ledger,
        account_balances=balances,
        customer_attributes=known_attributes,
        review_periods=reviews,
        rfm_score_edges=edges,
        customer_periods={
            (customer_id, period_end): row
            for period_end, rows in flat.items()
            for customer_id, row in rows.items()
        },
        score_details={
            (detail.customer_id, detail.component, detail.input): detail
            for row in current.values()
            for detail in marts.score_details(row, rules)
        },
        customer_scores={
            customer_id: marts.customer_scores(row, rules) for customer_id, row in current.items()
        },
        net_promoter_scores=marts.net_promoter_scores(flat),
        customer_tiers=current_tiers,
        customer_tier_history={
            (stretch.customer_id, stretch.valid_from): stretch
            for rows in rows_of.values()
            for stretch in marts.tier_history(rows)
        },
        customer_tier_targets={
            (target.customer_id, target.tier_code): target
            for row in current.values()
            for target in explanations.tier_targets(row, rules)
        },
        tier_change_details={
            (detail.customer_id, detail.period_end, detail.input): detail
            for rows in _by_customer(
                row for rows in by_period.values() for row in rows.values()
            ).values()
            for detail in explanations.tier_change_details(rows, rules)
        },
        tier_transitions=marts.tier_transitions(flat),
        tier_summary=marts.tier_summary(flat, rules),
        customers=customers,
        orders=marts.order_rows(orders, rows_of, as_of_date) if as_of_date else {},
        products=catalogue,
        order_items=products.order_items(orders, catalogue, as_of_date),
        customer_cohorts=list(cohorts.customer_cohorts(begun, as_of_date)),
        cohort_repeat_rates=list(cohorts.cohort_repeat_rates(begun, as_of_date)),
        customer_categories=habits.customer_categories(
            {name: owned for name, owned in own_orders_of.items() if name is not None}, as_of_date
        ),
        market_trends=markets.market_trends(orders_of, customers, reviews, rules.review_period),
        segment_profiles=markets.segment_profiles(
            customers.values(),
            {customer_id: row.monetary for customer_id, row in current.items()},
            attributes_of,
            rules.profile_dimensions,
            rules.min_group_size,
        ),
        alert_reviews={
            (alert.customer_id, alert.period_end, alert.alert_code): alert for alert in raised
        },
        customer_alerts={
            (stretch.customer_id, stretch.alert_code, stretch.raised_on): stretch
            for stretch in stretches
        },
        customer_actions={(action.customer_id, action.action_code): action for action in due},
        customer_profiles=profiles.customer_profiles(
            customers.values(),
            current_tiers,
            stretches,
            due,
            reviews,
            {
                customer_id: profiles.listed(values, rules.profile_attributes)
                for customer_id, values in attributes_of.items()
            },
        ),
        account_rollups=rollups.account_rollups(
            people,
            customers,
            _by_customer(ledger),
            reviews[-1] if reviews else None,
            by_period[reviews[-1]] if reviews else {},
            edges,
            rules,
        ),
        product_affinity=pairs,
        customer_recommendations=recommended,
        recommendation_backtest=affinity.backtests(orders_of, reviews, rules),
        category_flows=markets.category_flows(orders_of, reviews),
        published_holdouts=lists,
        holdout_assignments=assigned,
        campaign_effects=campaigns.campaign_effects(
            planned,
            assigned,
            left_out,
            staging,
            people,
            _by_customer(ledger),
            flat,
            reviews,
            rules,
        ),
        revenue_concentration=economics.revenue_concentration(current.values()),
        tier_economics=economics.tier_economics(
            flat, reviews, current_tiers, staging, people, rules
        ),
        campaign_costs=economics.campaign_costs(
            staging,
            people,
            {customer_id: row.tier_code for customer_id, row in current.items()},
            as_of_date,
            rules,
        ),
    )


def _by_customer(rows: Iterable) -> dict[str, list]:
    """Rows by their customer_id, in their own order."""
    groups = defaultdict(list)
    for row in rows:
        groups[row.customer_id].append(row)
    return dict(groups)


def _measure(
    ledger_of: dict[str, list[money.LedgerRow]],
    orders: list[money.Order],
    orders_of: dict[str, list[money.Order]],
    reviews: list[periods.Period],
    rules: Rules,
) -> dict[periods.Period, dict[str, tiers.CustomerPeriod]]:
    """Measures of every customer who has a ledger row by then, period by period."""
    categories_from = rfm.first_category_date(orders)
    by_period: dict[periods.Period, dict[str, tiers.CustomerPeriod]] = {}
    for period in reviews:
        rows = by_period[period] = {}
        has_categories = categories_from is not None and categories_from <= period.period_end
        for customer_id, ledger in ledger_of.items():
            measures = rfm.measure(ledger, period, rules)
            if measures is None:
                continue
            if has_categories:
                measures.categories = rfm.count_categories(
                    orders_of[customer_id], period.period_end, rules.rfm_window_days
                )
            rows[customer_id] = tiers.CustomerPeriod(customer_id, period, measures)
    return by_period


def _add_signals(
    by_period: dict[periods.Period, dict[str, tiers.CustomerPeriod]],
    staging: reading.Staging,
    people: identity.Identity,
    orders: list[money.Order],
    orders_of: dict[str, list[money.Order]],
    rules: Rules,
) -> None:
    """Fill in the signals of every customer and period."""
    known_from = signals.first_days(staging, orders)
    facts_of = signals.facts_of_customers(staging, people, orders_of)
    for period, rows in by_period.items():
        for customer_id, row in rows.items():
            row.measures.signals = signals.measure(
                facts_of[customer_id],
                known_from,
                period.period_end,
                rules.rfm_window_days,
                row.measures.first_order_on,
            )


def _add_balances(
    by_period: dict[periods.Period, dict[str, tiers.CustomerPeriod]],
    balances_of: dict[str, daily_balances.DailyBalances],
) -> None:
    """Fill in the balances of every customer and period; unknown ones are left out."""
    for period, rows in by_period.items():
        for customer_id, row in rows.items():
            balances = balances_of[customer_id]
            found = {
                "balance": balances.total_on(period.period_end),
                "average_balance": balances.average_until(period.period_end),
            }
            row.measures.signals |= {
                name: amount for name, amount in found.items() if amount is not None
            }


def _score(
    rows: Iterable[tiers.CustomerPeriod],
    edges: dict[tuple[date, str], rfm.Edges],
    rules: Rules,
) -> None:
    """Fill in scores of one period's rows; prospects have none."""
    rows = list(rows)
    population = scores.Population(row.measures for row in rows)
    for row in rows:
        if row.measures.status == rfm.PROSPECT:
            continue
        points = rfm.score(row.measures, edges, row.period.period_end)
        row.rfm = rfm.describe(row.measures.status, points, rules)
        row.values = scores.normalise(row.measures, points, population)
        row.weights = scores.weights_of(frozenset(row.values), population.coverages, rules)
        row.components = scores.component_scores(row.values, row.weights)
        row.management_score = scores.management_score(row.values, row.weights)
        row.score_coverage = row.weights.coverage
        row.star_rating = scores.star_rating(row.management_score, rules)


def _add_lifecycles(
    by_period: dict[periods.Period, dict[str, tiers.CustomerPeriod]],
    ledger_of: dict[str, list[money.LedgerRow]],
    rules: Rules,
) -> None:
    """Fill in the lifecycle of every customer and period; prospects have one too."""
    period_ends = [period.period_end for period in by_period]
    rhythms_of = {
        customer_id: list(lifecycle.rhythms(rows, period_ends))
        for customer_id, rows in ledger_of.items()
    }
    for number, rows in enumerate(by_period.values()):
        found = lifecycle.lifecycles(
            {customer_id: rhythms_of[customer_id][number] for customer_id in rows},
            {customer_id: row.measures.recency_days for customer_id, row in rows.items()},
            {customer_id: row.rfm.segment_code for customer_id, row in rows.items()},
            rules,
        )
        for customer_id, row in rows.items():
            row.lifecycle = found[customer_id]


def _review(
    by_period: dict[periods.Period, dict[str, tiers.CustomerPeriod]],
    ledger_of: dict[str, list[money.LedgerRow]],
    rules: Rules,
) -> None:
    """Review every customer's periods in order."""
    rows_of = _by_customer(row for rows in by_period.values() for row in rows.values())
    for customer_id, rows in rows_of.items():
        tiers.sweep(rows, ledger_of[customer_id], rules)
