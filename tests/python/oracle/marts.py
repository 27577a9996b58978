"""Marts: rows named and keyed as the public marts, derived from the steps before."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from oracle.daily_balances import DailyBalances, high_net_worth
from oracle.habits import net_revenue
from oracle.identity import Identity
from oracle.money import ZERO, Order
from oracle.periods import Period, following
from oracle.reading import BadValueError, read_whole_number
from oracle.rfm import ACTIVE, LAPSED, PROSPECT
from oracle.rules import NO_TIER, Rules, TierRule
from oracle.scores import INTERACTION_INPUTS, input_values, rounded
from oracle.tiers import CustomerPeriod

COMPONENTS = ("value", "growth", "loyalty", "satisfaction", "engagement", "partnership")


@dataclass(slots=True)
class CustomerPeriodRow:
    """customer_periods, with the steps' internals beside the mart's columns.

    ``tier_rank`` is 0 without a tier. ``reviews_held`` and ``grace`` see TierState. ``values`` (0-100) and
    ``weights`` (effective) are by input, known inputs only; ``coverages`` (per cent) of interactions only; ``input_values`` also of a prospect.
    ``order_days`` to ``has_own_gap`` see Lifecycle.
    """

    customer_id: str
    period_end: date
    period_start: date
    is_open_period: bool
    status: str
    recency_days: int | None
    frequency: int
    monetary: Decimal
    period_revenue: Decimal
    first_order_on: date | None
    last_order_on: date | None
    valid_orders: int
    net_revenue: Decimal
    r_score: int | None
    f_score: int | None
    m_score: int | None
    rfm_cell: str | None
    segment_code: str
    value_matrix_code: str
    value_class: str
    purchasing_power: str | None
    purchase_frequency_band: str | None
    buyer_type: str
    value_score: Decimal | None
    growth_score: Decimal | None
    loyalty_score: Decimal | None
    satisfaction_score: Decimal | None
    engagement_score: Decimal | None
    partnership_score: Decimal | None
    management_score: Decimal | None
    score_coverage: Decimal | None
    star_rating: int | None
    values: dict[str, Decimal]
    weights: dict[str, Decimal]
    coverages: dict[str, int]
    input_values: dict[str, Any]
    newest_balance: Decimal | None
    average_balance: Decimal | None
    demand_type: str | None
    favourite_category: str | None
    favourite_channel: str | None
    channel_mix: str | None
    lifecycle_stage: str
    order_days: int
    last_gap_days: int | None
    expected_gap_days: Decimal | None
    has_own_gap: bool
    q: int
    k: int
    qualified_tier_code: str
    tier_code: str
    tier_rank: int
    previous_tier_code: str
    tier_since: date | None
    reviews_held: int
    grace: int
    change_type: str | None
    reason_code: str | None
    is_provisional: bool


def customer_period_row(row: CustomerPeriod, rules: Rules) -> CustomerPeriodRow:
    """The flat row of a customer and period."""
    measures, rfm, state, codes = row.measures, row.rfm, row.state, rules.tier_codes
    lifecycle = row.lifecycle
    return CustomerPeriodRow(
        customer_id=row.customer_id,
        period_end=row.period.period_end,
        period_start=row.period.period_start,
        is_open_period=row.period.is_open_period,
        status=measures.status,
        recency_days=measures.recency_days,
        frequency=measures.frequency,
        monetary=measures.monetary,
        period_revenue=measures.period_revenue,
        first_order_on=measures.first_order_on,
        last_order_on=measures.last_order_on,
        valid_orders=measures.valid_orders,
        net_revenue=measures.net_revenue,
        r_score=rfm.r_score,
        f_score=rfm.f_score,
        m_score=rfm.m_score,
        rfm_cell=rfm.rfm_cell,
        segment_code=rfm.segment_code,
        value_matrix_code=rfm.value_matrix_code,
        value_class=rfm.value_class,
        purchasing_power=rfm.purchasing_power,
        purchase_frequency_band=rfm.purchase_frequency_band,
        buyer_type=rfm.buyer_type,
        **{f"{component}_score": row.components.get(component) for component in COMPONENTS},
        management_score=row.management_score,
        score_coverage=row.score_coverage,
        star_rating=row.star_rating,
        values=row.values,
        weights=row.weights.effective,
        coverages=row.weights.of_interactions,
        input_values=input_values(measures),
        newest_balance=measures.signals.get("balance"),
        average_balance=measures.signals.get("average_balance"),
        demand_type=row.habits.demand_type,
        favourite_category=row.habits.favourite_category,
        favourite_channel=row.habits.favourite_channel,
        channel_mix=row.habits.channel_mix,
        lifecycle_stage=lifecycle.lifecycle_stage,
        order_days=lifecycle.order_days,
        last_gap_days=lifecycle.last_gap_days,
        expected_gap_days=lifecycle.expected_gap_days,
        has_own_gap=lifecycle.has_own_gap,
        q=row.q,
        k=row.k,
        qualified_tier_code=codes[row.q],
        tier_code=codes[state.tier_rank],
        tier_rank=state.tier_rank,
        previous_tier_code=codes[state.previous_rank],
        tier_since=state.tier_since,
        reviews_held=state.reviews_held,
        grace=state.grace,
        change_type=row.change_type,
        reason_code=row.reason_code,
        is_provisional=row.period.is_open_period,
    )


# -- customer_score_details ------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoreDetail:
    """One input of a customer's score.

    Unknown: normalised value None, weight and points 0; the count of interactions is there all the
    same. ``coverage``: part of the customers who have interactions of that kind, else 1.
    """

    customer_id: str
    component: str
    input: str
    input_value: Any
    normalised_value: Decimal | None
    coverage: Decimal
    weight: Decimal
    points: Decimal


def score_details(row: CustomerPeriodRow, rules: Rules) -> list[ScoreDetail]:
    """All inputs of the profile in seed order; none for a prospect."""
    if row.status == PROSPECT:
        return []
    details = []
    for component in rules.components:
        for name, _ in component.inputs:
            value = row.values.get(name)
            is_shown = value is not None or name in INTERACTION_INPUTS
            weight = row.weights.get(name, Decimal(0))
            details.append(
                ScoreDetail(
                    customer_id=row.customer_id,
                    component=component.component,
                    input=name,
                    input_value=row.input_values[name] if is_shown else None,
                    normalised_value=value,
                    coverage=Decimal(row.coverages.get(name, 100)) / 100,
                    weight=weight,
                    points=Decimal(0) if value is None else weight * value,
                )
            )
    return details


# -- customer_scores -------------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerScores:
    """customer_scores; the lift is what the score would gain if that input had 100 points."""

    customer_id: str
    as_of_date: date
    value_score: Decimal | None
    growth_score: Decimal | None
    loyalty_score: Decimal | None
    satisfaction_score: Decimal | None
    engagement_score: Decimal | None
    partnership_score: Decimal | None
    management_score: Decimal | None
    score_coverage: Decimal | None
    star_rating: int | None
    largest_lift_input: str | None
    largest_lift_points: Decimal | None


def customer_scores(row: CustomerPeriodRow, rules: Rules) -> CustomerScores:
    """The customer's scores at the last period."""
    lift_input, lift_points = _largest_lift(row, rules)
    return CustomerScores(
        customer_id=row.customer_id,
        as_of_date=row.period_end,
        **{f"{component}_score": getattr(row, f"{component}_score") for component in COMPONENTS},
        management_score=row.management_score,
        score_coverage=row.score_coverage,
        star_rating=row.star_rating,
        largest_lift_input=lift_input,
        largest_lift_points=lift_points,
    )


def _largest_lift(row: CustomerPeriodRow, rules: Rules) -> tuple[str | None, Decimal | None]:
    """The known input with the most points to gain, exact; the first in seed order on ties."""
    lifts = {
        name: row.weights.get(name, Decimal(0)) * (100 - row.values[name])
        for component in rules.components
        for name, _ in component.inputs
        if name in row.values
    }
    name = max(lifts, key=lambda name: lifts[name], default=None)
    return (name, lifts[name]) if name is not None and lifts[name] > 0 else (None, None)


# -- net_promoter_scores ---------------------------------------------------------------------------


@dataclass
class NetPromoterScore:
    """net_promoter_scores: the newest answers in the window of the customers of a cell."""

    period_end: date
    dimension: str
    dimension_value: str
    answers: int = 0
    promoters: int = 0
    detractors: int = 0

    @property
    def net_promoter_score(self) -> Decimal:
        """From -100 to 100, to 2 decimals, half away from zero."""
        surplus = self.promoters - self.detractors
        return (-1 if surplus < 0 else 1) * rounded(100 * abs(surplus), self.answers)


def net_promoter_scores(
    by_period: dict[date, dict[str, CustomerPeriodRow]],
) -> dict[tuple[date, str, str], NetPromoterScore]:
    """By (period end, dimension, value); no cell without an answer."""
    cells: dict[tuple[date, str, str], NetPromoterScore] = {}
    for period_end, rows in by_period.items():
        for row in rows.values():
            score = row.input_values.get("nps")
            if score is None:
                continue
            values = {"all": "all", "tier": row.tier_code, "segment": row.segment_code}
            for dimension, value in values.items():
                key = (period_end, dimension, value)
                cell = cells.setdefault(key, NetPromoterScore(*key))
                cell.answers += 1
                cell.promoters += score >= 9
                cell.detractors += score <= 6
    return cells


# -- customer_tiers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerTier:
    """customer_tiers: the tier now, and what it takes to keep it and to reach the next."""

    customer_id: str
    as_of_date: date
    tier_code: str
    tier_rank: int
    qualified_tier_code: str
    previous_tier_code: str
    tier_since: date | None
    change_type: str | None
    reason_code: str | None
    is_provisional: bool
    points_to_keep: Decimal | None
    points_to_next: Decimal | None
    orders_to_next: int | None
    revenue_to_next: Decimal | None
    protected_until: date | None
    next_review_on: date


def customer_tier(row: CustomerPeriodRow, period: Period, rules: Rules) -> CustomerTier:
    """The customer's tier at the last period."""
    ladder = rules.ladder_on(period.period_end)
    is_prospect, score = row.status == PROSPECT, row.management_score
    held_tier = None if is_prospect else ladder.tier(row.tier_rank)
    next_tier = None if is_prospect else ladder.tier(row.tier_rank + 1)
    return CustomerTier(
        customer_id=row.customer_id,
        as_of_date=period.period_end,
        tier_code=row.tier_code,
        tier_rank=row.tier_rank,
        qualified_tier_code=row.qualified_tier_code,
        previous_tier_code=row.previous_tier_code,
        tier_since=row.tier_since,
        change_type=row.change_type,
        reason_code=row.reason_code,
        is_provisional=row.is_provisional,
        points_to_keep=held_tier and _missing(held_tier.keep_score, score),
        points_to_next=next_tier and _missing(next_tier.enter_score, score),
        orders_to_next=next_tier and max(0, next_tier.enter_min_orders - row.frequency),
        revenue_to_next=next_tier and _revenue_missing(next_tier, row.monetary),
        protected_until=_protected_until(row, period, rules),
        next_review_on=_next_review(period, rules).calendar_end,
    )


def _missing(wanted: Decimal, there: Decimal | None) -> Decimal | None:
    return None if there is None else max(Decimal(0), wanted - there)


def _revenue_missing(tier: TierRule, monetary: Decimal) -> Decimal:
    """Nothing is missing where the tier sets no revenue."""
    return ZERO if tier.enter_min_revenue is None else max(ZERO, tier.enter_min_revenue - monetary)


def _next_review(period: Period, rules: Rules) -> Period:
    """The period of the next closed review: the open one, else the one that follows."""
    return period if period.is_open_period else following(period, rules.review_period)


def _protected_until(row: CustomerPeriodRow, period: Period, rules: Rules) -> date | None:
    """Last review that the hold protects, counted from the review that ``reviews_held`` is known after.

    A provisional change counts from the end of the open period, everything else there from the
    newest closed review, the period before.
    """
    is_new = row.is_provisional and row.change_type in ("enter", "upgrade")
    left = rules.tier_min_hold_periods - (0 if is_new else row.reviews_held)
    if row.tier_rank == 0 or left <= 0:
        return None
    reviews_after_this = left - 1 if row.is_provisional and not is_new else left
    return following(period, rules.review_period, reviews_after_this).calendar_end


# -- customer_tier_history, tier_transitions, tier_summary -----------------------------------------


@dataclass
class TierStretch:
    """customer_tier_history: one stretch in one tier, or in `none` after leaving."""

    customer_id: str
    tier_code: str
    valid_from: date
    valid_to: date | None
    previous_tier_code: str
    change_type: str
    reason_code: str

    @property
    def is_current(self) -> bool:
        """Whether the stretch goes on."""
        return self.valid_to is None


def tier_history(rows: Iterable[CustomerPeriodRow]) -> list[TierStretch]:
    """The stretches of one customer, from closed reviews in order."""
    stretches: list[TierStretch] = []
    for row in rows:
        if row.is_open_period or row.change_type not in ("enter", "upgrade", "downgrade", "leave"):
            continue
        if stretches:
            stretches[-1].valid_to = row.period_end
        stretches.append(
            TierStretch(
                customer_id=row.customer_id,
                tier_code=row.tier_code,
                valid_from=row.period_end,
                valid_to=None,
                previous_tier_code=row.previous_tier_code,
                change_type=row.change_type,
                reason_code=row.reason_code,
            )
        )
    return stretches


@dataclass
class TierTransition:
    """tier_transitions: customers that went from one tier to another between two periods."""

    from_period_end: date
    to_period_end: date
    from_tier_code: str
    to_tier_code: str
    customers: int = 0
    window_revenue: Decimal = ZERO


def tier_transitions(
    by_period: dict[date, dict[str, CustomerPeriodRow]],
) -> dict[tuple[date, date, str, str], TierTransition]:
    """Transitions by (from period, to period, from tier, to tier); no row without a customer."""
    transitions: dict[tuple[date, date, str, str], TierTransition] = {}
    for from_end, to_end in pairwise(by_period):
        for customer_id, row in by_period[to_end].items():
            key = (from_end, to_end, _tier_before(by_period[from_end], customer_id), row.tier_code)
            transition = transitions.setdefault(key, TierTransition(*key))
            transition.customers += 1
            transition.window_revenue += row.monetary
    return transitions


def _tier_before(before: dict[str, CustomerPeriodRow], customer_id: str) -> str:
    return before[customer_id].tier_code if customer_id in before else NO_TIER


@dataclass(frozen=True)
class TierSummary:
    """tier_summary. Shares and rates are exact fractions, None where their base is zero.

    ``repeat_rate`` is over active customers; ``churn_rate`` is the part of the customers who were
    active and in the tier at the period before and are lapsed now.
    """

    period_end: date
    tier_code: str
    customers: int
    lapsed_customers: int
    window_revenue: Decimal
    window_revenue_share: Fraction | None
    cumulative_revenue_share: Fraction | None
    period_revenue: Decimal
    average_order_value: Fraction | None
    repeat_rate: Fraction | None
    churn_rate: Fraction | None


def tier_summary(
    by_period: dict[date, dict[str, CustomerPeriodRow]], rules: Rules
) -> dict[tuple[date, str], TierSummary]:
    """Summary by (period end, tier): every tier, the highest first, and `none` last.

    Tiers without customers are there with zeros. Cumulative shares run in that order.
    """
    summary: dict[tuple[date, str], TierSummary] = {}
    codes = [code for _, code in sorted(rules.tier_codes.items(), reverse=True)]
    before: dict[str, CustomerPeriodRow] = {}
    for period_end, now in by_period.items():
        members: dict[str, list[CustomerPeriodRow]] = defaultdict(list)
        for row in now.values():
            members[row.tier_code].append(row)
        total, running = _window_revenue(now.values()), ZERO
        for code in codes:
            rows = members[code]
            active = [row for row in rows if row.status == ACTIVE]
            stayed = [
                row for row in before.values() if row.tier_code == code and row.status == ACTIVE
            ]
            churned = [row for row in stayed if now[row.customer_id].status == LAPSED]
            revenue = _window_revenue(rows)
            running += revenue
            summary[period_end, code] = TierSummary(
                period_end=period_end,
                tier_code=code,
                customers=len(rows),
                lapsed_customers=sum(row.status == LAPSED for row in rows),
                window_revenue=revenue,
                window_revenue_share=_ratio(revenue, total),
                cumulative_revenue_share=_ratio(running, total),
                period_revenue=sum((row.period_revenue for row in rows), ZERO),
                average_order_value=_ratio(revenue, sum(row.frequency for row in rows)),
                repeat_rate=_ratio(sum(row.frequency >= 2 for row in active), len(active)),
                churn_rate=_ratio(len(churned), len(stayed)),
            )
        before = now
    return summary


def _window_revenue(rows: Iterable[CustomerPeriodRow]) -> Decimal:
    return sum((row.monetary for row in rows), ZERO)


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole else None


# -- customers and orders --------------------------------------------------------------------------


@dataclass(frozen=True)
class Customer:
    """customers: the fields that derive from orders, as known at as_of_date, and the tier now.

    ``attributes`` is the staged row that speaks for the customer, None for an inferred one. Orders are the
    customer's own; habits, segment, scores and tier are those of whom they are reviewed with.
    """

    customer_id: str
    parent_customer_id: str | None
    root_customer_id: str
    reviewed_customer_id: str
    group_depth: int
    industry: str | None
    industry_group: str | None
    industry_in_source: str | None
    company_size: str | None
    company_size_in_source: str | None
    is_inferred: bool
    attributes: dict[str, Any] | None
    age_band: str | None
    first_order_on: date | None
    last_order_on: date | None
    lifetime_orders: int
    lifetime_revenue: Decimal
    favourite_category: str | None
    favourite_channel: str | None
    channel_mix: str | None
    demand_type: str | None
    lifecycle_stage: str
    segment_code: str
    value_class: str
    purchasing_power: str | None
    purchase_frequency_band: str | None
    buyer_type: str
    management_score: Decimal | None
    star_rating: int | None
    tier_code: str
    tier_rank: int
    tier_since: date | None
    newest_balance: Decimal | None
    average_balance: Decimal | None
    high_net_worth: str | None

    @property
    def has_marketing_consent(self) -> bool | None:
        """Whether marketing is allowed; None when the customer was never asked."""
        return (self.attributes or {}).get("marketing_consent")

    def described(self, name: str) -> str | None:
        """What is known of the customer, as marts.customers has it."""
        if name in ("age_band", "industry", "company_size"):
            return getattr(self, name)
        return (self.attributes or {}).get(name)


def customer(
    customer_id: str,
    identity: Identity,
    orders: Sequence[Order],
    last_row: CustomerPeriodRow | None,
    balances: DailyBalances,
    as_of_date: date | None,
    rules: Rules,
) -> Customer:
    """One customer with their own orders; ``last_row`` is None for one reviewed without an entering order."""
    entered = [
        o for o in orders if as_of_date is not None and o.enters and o.order_date <= as_of_date
    ]
    valid = [o for o in entered if o.is_valid_on(as_of_date)]
    attributes = identity.attributes[customer_id] or {}
    average = as_of_date and balances.average_until(as_of_date)
    return Customer(
        customer_id=customer_id,
        parent_customer_id=identity.parents.get(customer_id),
        root_customer_id=identity.root(customer_id),
        reviewed_customer_id=identity.reviewed(customer_id),
        group_depth=len(identity.line(customer_id)) - 1,
        **_industry(attributes.get("industry"), rules),
        **_company_size(attributes.get("company_size"), rules),
        is_inferred=identity.attributes[customer_id] is None,
        attributes=identity.attributes[customer_id],
        age_band=_age_band(identity.attributes[customer_id], as_of_date, rules),
        first_order_on=min((o.order_date for o in valid), default=None),
        last_order_on=max((o.order_date for o in valid), default=None),
        lifetime_orders=len(valid),
        lifetime_revenue=sum((net_revenue(o, as_of_date) for o in entered), ZERO),
        favourite_category=last_row and last_row.favourite_category,
        favourite_channel=last_row and last_row.favourite_channel,
        channel_mix=last_row and last_row.channel_mix,
        demand_type=last_row and last_row.demand_type,
        lifecycle_stage=last_row.lifecycle_stage if last_row else PROSPECT,
        segment_code=last_row.segment_code if last_row else PROSPECT,
        value_class=last_row.value_class if last_row else "none",
        purchasing_power=last_row and last_row.purchasing_power,
        purchase_frequency_band=last_row and last_row.purchase_frequency_band,
        buyer_type=last_row.buyer_type if last_row else "none",
        management_score=last_row and last_row.management_score,
        star_rating=last_row and last_row.star_rating,
        tier_code=last_row.tier_code if last_row else NO_TIER,
        tier_rank=last_row.tier_rank if last_row else 0,
        tier_since=last_row and last_row.tier_since,
        newest_balance=as_of_date and balances.total_on(as_of_date),
        average_balance=average,
        high_net_worth=high_net_worth(average, rules),
    )


def _industry(word: str | None, rules: Rules) -> dict[str, str | None]:
    known = rules.industries.get(word.lower(), ()) if word else (None, None)
    industry, group = known or ("other", "other")
    return {
        "industry": industry,
        "industry_group": group,
        "industry_in_source": None if known else word,
    }


def _company_size(word: str | None, rules: Rules) -> dict[str, str | None]:
    """A word of the seed, else a whole number of employees."""
    if word is None:
        return {"company_size": None, "company_size_in_source": None}
    size = next((row.company_size for row in rules.company_sizes if row.name == word.lower()), None)
    if size is None and (number := _whole_number(word)) is not None:
        size = next(
            (
                row.company_size
                for row in rules.company_sizes
                if row.employees_from is not None
                and row.employees_from <= number
                and (row.employees_to is None or number <= row.employees_to)
            ),
            None,
        )
    return {"company_size": size or "other", "company_size_in_source": None if size else word}


def _whole_number(word: str) -> int | None:
    try:
        return read_whole_number(word, None)
    except BadValueError:
        return None


def _age_band(attributes: dict[str, Any] | None, day: date | None, rules: Rules) -> str | None:
    """The band of the full years since birth; None for who is not born yet."""
    born = (attributes or {}).get("birth_date")
    if born is None or day is None or born > day:
        return None
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return next((b for b, (first, last) in rules.age_bands.items() if first <= age <= last), None)


@dataclass(frozen=True)
class OrderRow:
    """orders: money in the reporting currency as known at as_of_date (0 if it never enters)."""

    order_id: str
    customer_id: str | None
    order_date: date
    status: str
    order_amount: Decimal
    order_amount_reporting: Decimal
    refunded_amount: Decimal
    net_amount: Decimal
    is_valid: bool
    is_first_order: bool
    tier_code_at_order: str | None


def order_rows(
    orders: Iterable[Order],
    by_customer: dict[str, list[CustomerPeriodRow]],
    as_of_date: date,
) -> dict[str, OrderRow]:
    """All accepted orders dated up to as_of_date, by order_id.

    The first order is the customer's earliest valid one (by time, then order_id); the tier at an
    order is that of the last closed review before its date.
    """
    there = [order for order in orders if order.order_date <= as_of_date]
    first: dict[str, Order] = {}
    for order in sorted(there, key=lambda o: (o.ordered_at.instant, o.order_id)):
        if order.member_id is not None and order.is_valid_on(as_of_date):
            first.setdefault(order.member_id, order)
    return {
        order.order_id: OrderRow(
            order_id=order.order_id,
            customer_id=order.member_id,
            order_date=order.order_date,
            status=order.status,
            order_amount=order.order_amount,
            order_amount_reporting=order.order_amount_reporting,
            refunded_amount=order.refunded_by(as_of_date),
            net_amount=net_revenue(order, as_of_date) if order.enters else ZERO,
            is_valid=order.is_valid_on(as_of_date),
            is_first_order=first.get(order.member_id) is order,
            tier_code_at_order=_tier_before_date(by_customer.get(order.customer_id, []), order),
        )
        for order in there
    }


def _tier_before_date(rows: Sequence[CustomerPeriodRow], order: Order) -> str | None:
    """None for a guest. Every period that ends before the order is closed, as it is not after as_of_date."""
    if order.customer_id is None:
        return None
    before = bisect_left(rows, order.order_date, key=lambda row: row.period_end)
    return rows[before - 1].tier_code if before else NO_TIER
