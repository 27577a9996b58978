"""Economics: what each tier brings, could bring and costs, and how far revenue depends on few customers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from oracle.identity import Identity
from oracle.markets import PERIODS_A_YEAR
from oracle.marts import CustomerPeriodRow, CustomerTier
from oracle.money import CENT, ZERO
from oracle.periods import Period
from oracle.reading import Staging
from oracle.rules import NO_TIER, Rules

TOP_PERCENTS = (1, 5, 20)
MILLION = 1_000_000


# -- revenue_concentration -------------------------------------------------------------------------


@dataclass(frozen=True)
class Concentration:
    """revenue_concentration; shares and Gini are exact, None without revenue."""

    dimension: str
    dimension_value: str
    customers: int
    revenue: Decimal
    top_1_share: Fraction | None
    top_5_share: Fraction | None
    top_20_share: Fraction | None
    gini: Fraction | None
    as_of_date: date


def revenue_concentration(rows: Iterable[CustomerPeriodRow]) -> list[Concentration]:
    """Of all customers with orders in the window, and of those of each tier, as of the rows' review."""
    members: dict[tuple[str, str], list[CustomerPeriodRow]] = defaultdict(list)
    for row in rows:
        if row.frequency >= 1:
            members["all", "all"].append(row)
            members["tier", row.tier_code].append(row)
    return [_concentration(*key, found) for key, found in members.items()]


def _concentration(dimension: str, value: str, rows: list[CustomerPeriodRow]) -> Concentration:
    ordered = sorted(rows, key=lambda row: (-row.monetary, row.customer_id))
    amounts = [max(ZERO, row.monetary) for row in ordered]
    total = sum(amounts, ZERO)

    def top(percent: int) -> Fraction | None:
        places = -(-len(amounts) * percent // 100)
        return Fraction(sum(amounts[:places], ZERO)) / Fraction(total) if total else None

    return Concentration(
        dimension,
        value,
        len(rows),
        total,
        *(top(percent) for percent in TOP_PERCENTS),
        gini=gini(amounts),
        as_of_date=rows[0].period_end,
    )


def gini(amounts: Sequence[Decimal]) -> Fraction | None:
    """Half the mean difference of all pairs, over the mean."""
    total = Fraction(sum(amounts, ZERO))
    if not total:
        return None
    differences, below = Fraction(0), Fraction(0)
    for place, amount in enumerate(sorted(amounts)):
        differences += place * Fraction(amount) - below
        below += Fraction(amount)
    return differences / (len(amounts) * total)


# -- Costs of campaigns ----------------------------------------------------------------------------


@dataclass(frozen=True)
class CampaignCosts:
    """What campaigns that began in the window cost by tier, and what no customer can be charged for."""

    by_tier: Mapping[str, Decimal]
    unplaced: Sequence[Decimal]


def campaign_costs(
    staging: Staging,
    people: Identity,
    tier_of: Mapping[str, str],
    as_of_date: date | None,
    rules: Rules,
) -> CampaignCosts:
    """Each cost in cents over the tiers of those contacted, the highest first: differences of rounded running totals."""
    by_tier: dict[str, Decimal] = defaultdict(Decimal)
    unplaced: list[Decimal] = []
    if as_of_date is None:
        return CampaignCosts(by_tier, unplaced)
    contacted: dict[str, set[str]] = defaultdict(set)
    for row in staging.rows("campaign_contacts"):
        if row["contact_group"] == "treatment" and row["contacted_at"].day <= as_of_date:
            contacted[row["campaign_id"]].add(people.reviewed(row["customer_id"]))
    for campaign in staging.rows("campaigns"):
        cost = campaign["cost_amount"]
        if not cost or not _is_in_window(campaign["starts_on"], as_of_date, rules):
            continue
        customers = contacted[campaign["campaign_id"]]
        if not customers:
            unplaced.append(cost)
            continue
        counted = charged = 0
        for _, code in sorted(rules.tier_codes.items(), reverse=True):
            counted += sum(tier_of.get(customer, NO_TIER) == code for customer in customers)
            until = _half_up(Fraction(cost) * 100 * counted / len(customers))
            by_tier[code] += (until - charged) * CENT
            charged = until
    return CampaignCosts(by_tier, unplaced)


def _is_in_window(day: date, as_of_date: date, rules: Rules) -> bool:
    return as_of_date - timedelta(days=rules.rfm_window_days) < day <= as_of_date


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


# -- tier_economics --------------------------------------------------------------------------------


@dataclass(frozen=True)
class TierEconomics:
    """tier_economics; ratios are exact, but for the budget's, which are rounded to add up to one."""

    tier_code: str
    tier_rank: int
    customers: int
    active_customers: int
    customers_at_risk: int
    window_revenue: Decimal
    window_revenue_share: Fraction | None
    revenue_at_risk: Decimal
    growth_potential: Decimal
    served_customers: int
    service_contacts: int
    service_contacts_per_customer: Fraction | None
    campaign_cost: Decimal
    campaign_cost_per_customer: Fraction | None
    retention_rate: Fraction | None
    recommended_budget_share: Decimal | None
    top_1_share: Fraction | None
    top_5_share: Fraction | None
    top_20_share: Fraction | None
    gini: Fraction | None
    as_of_date: date


def tier_economics(
    flat: Mapping[date, Mapping[str, CustomerPeriodRow]],
    reviews: Sequence[Period],
    current_tiers: Mapping[str, CustomerTier],
    staging: Staging,
    people: Identity,
    rules: Rules,
) -> list[TierEconomics]:
    """Every tier and none, as of the last review; nothing without a review."""
    if not reviews:
        return []
    as_of_date = reviews[-1].period_end
    now = flat[as_of_date]
    tier_of = {customer_id: row.tier_code for customer_id, row in now.items()}
    calls = _service_contacts(staging, people, as_of_date, rules)
    contacts: dict[str, int] = defaultdict(int)
    served: dict[str, set[str]] = defaultdict(set)
    for customer_id in calls:
        contacts[tier_of.get(customer_id, NO_TIER)] += 1
        served[tier_of.get(customer_id, NO_TIER)].add(customer_id)
    costs = campaign_costs(staging, people, tier_of, as_of_date, rules).by_tier
    retained = _retention(flat, reviews, rules)
    concentrated = {
        found.dimension_value: found
        for found in revenue_concentration(now.values())
        if found.dimension == "tier"
    }
    members: dict[str, list[CustomerPeriodRow]] = {code: [] for code in rules.tier_codes.values()}
    for row in now.values():
        members[row.tier_code].append(row)
    at_risk = {
        code: [row for row in rows if row.lifecycle_stage == "at_risk"]
        for code, rows in members.items()
    }
    growth = {
        code: sum((current_tiers[row.customer_id].revenue_to_next or ZERO for row in rows), ZERO)
        for code, rows in members.items()
    }
    revenue = {code: _revenue(rows) for code, rows in members.items()}
    budget = budget_shares(
        {
            "window_revenue": revenue,
            "revenue_at_risk": {code: _revenue(rows) for code, rows in at_risk.items()},
            "growth_potential": growth,
            "service_contacts": contacts,
        },
        rules,
    )
    total = sum(revenue.values(), ZERO)
    found = []
    for rank, code in rules.tier_codes.items():
        few = concentrated.get(code)
        per_customer = len(members[code]) if rank else 0
        found.append(
            TierEconomics(
                tier_code=code,
                tier_rank=rank,
                customers=len(members[code]),
                active_customers=sum(row.frequency >= 1 for row in members[code]),
                customers_at_risk=len(at_risk[code]),
                window_revenue=revenue[code],
                window_revenue_share=_ratio(revenue[code], total),
                revenue_at_risk=_revenue(at_risk[code]),
                growth_potential=growth[code],
                served_customers=len(served.get(code, ())),
                service_contacts=contacts.get(code, 0),
                service_contacts_per_customer=_ratio(contacts.get(code, 0), per_customer),
                campaign_cost=costs.get(code, ZERO),
                campaign_cost_per_customer=_ratio(costs.get(code, ZERO), per_customer),
                retention_rate=retained.get(code),
                recommended_budget_share=budget.get(code),
                top_1_share=few and few.top_1_share,
                top_5_share=few and few.top_5_share,
                top_20_share=few and few.top_20_share,
                gini=few and few.gini,
                as_of_date=as_of_date,
            )
        )
    return found


def _service_contacts(
    staging: Staging, people: Identity, as_of_date: date, rules: Rules
) -> list[str]:
    """Whose tickets were opened in the window, and whose calls were in it, one by one."""
    contacts = [(row["customer_id"], row["opened_at"].day) for row in staging.rows("tickets")] + [
        (row["customer_id"], row["occurred_at"].day)
        for row in staging.rows("interactions")
        if row["interaction_type"] == "call"
    ]
    return [
        people.reviewed(customer_id)
        for customer_id, day in contacts
        if _is_in_window(day, as_of_date, rules)
    ]


def _retention(
    flat: Mapping[date, Mapping[str, CustomerPeriodRow]], reviews: Sequence[Period], rules: Rules
) -> dict[str, Fraction]:
    """By the tier held a year before the newest closed review: the part of the active ones who are active now."""
    closed = [period for period in reviews if not period.is_open_period]
    year = PERIODS_A_YEAR[rules.review_period]
    if len(closed) <= year:
        return {}
    before, now = flat[closed[-1 - year].period_end], flat[reviews[-1].period_end]
    active: dict[str, list[bool]] = defaultdict(list)
    for customer_id, row in before.items():
        if row.frequency >= 1:
            active[row.tier_code].append(now[customer_id].frequency >= 1)
    return {code: Fraction(sum(stayed), len(stayed)) for code, stayed in active.items()}


def budget_shares(
    drivers: Mapping[str, Mapping[str, Decimal | int]], rules: Rules
) -> dict[str, Decimal]:
    """By tier, none without a share; empty where no driver is above zero.

    A tier's share of a driver has six decimals, half up. What rounding leaves over belongs to the largest share, of equals
    to the highest tier.
    """
    ranks = {code: rank for rank, code in rules.tier_codes.items() if rank}
    points = dict.fromkeys(ranks, Fraction(0))
    for driver, weight in rules.budget_weights.items():
        amounts = {code: max(Fraction(drivers[driver].get(code, 0)), Fraction(0)) for code in ranks}
        if whole := sum(amounts.values()):
            for code, amount in amounts.items():
                points[code] += Fraction(weight) * _half_up(MILLION * amount / whole)
    total = sum(points.values())
    if not total:
        return {}
    shares = {code: _half_up(MILLION * part / total) for code, part in points.items()}
    largest = max(shares, key=lambda code: (shares[code], ranks[code]))
    shares[largest] += MILLION - sum(shares.values())
    return {NO_TIER: Decimal(0)} | {
        code: Decimal(share).scaleb(-6) for code, share in shares.items()
    }


def _revenue(rows: Iterable[CustomerPeriodRow]) -> Decimal:
    return sum((row.monetary for row in rows), ZERO)


def _ratio(part: int | Decimal, whole: int | Decimal) -> Fraction | None:
    return Fraction(part) / Fraction(whole) if whole > 0 else None
