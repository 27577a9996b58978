"""Campaigns: who is held out of them, and what they did to those who were not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from hashlib import md5
from math import floor, sqrt

from oracle.identity import Identity
from oracle.marts import CustomerPeriodRow
from oracle.money import CENT, ZERO, LedgerRow
from oracle.periods import Period, calendar_period, previous_period_end
from oracle.reading import Staging
from oracle.rules import NO_TIER, Rules

Reviews = Mapping[date, Mapping[str, CustomerPeriodRow]]
Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
REPLICATES = 999
FEWEST = 400  # customers of a group with whom revenue has an interval
TREATMENT, HOLDOUT = "treatment", "holdout"


@dataclass(frozen=True)
class Campaign:
    """A campaign, and what of it lies behind as_of_date."""

    campaign_id: str
    campaign_name: str | None
    starts_on: date
    window_ends_on: date
    target_tier_code: str | None
    cost_amount: Decimal | None
    holdout_percent: Decimal
    as_of_date: date | None

    @property
    def has_begun(self) -> bool:
        return self.as_of_date is not None and self.starts_on <= self.as_of_date

    @property
    def is_over(self) -> bool:
        """Whether the window lies before as_of_date."""
        return self.as_of_date is not None and self.window_ends_on < self.as_of_date


@dataclass(frozen=True)
class Assignment:
    """One customer of a list: published_holdouts, and holdout_assignments after merges."""

    campaign_id: str
    customer_id: str
    contact_group: str
    tier_code: str
    is_preliminary: bool
    reviewed_on: date
    assigned_on: date


@dataclass(frozen=True)
class CampaignEffect:
    """campaign_effects; rates and revenue are exact, None where there are none."""

    campaign_id: str
    campaign_name: str | None
    dimension: str
    dimension_value: str
    effect_status: str
    assigned_by: str | None
    treated: int
    held_out: int
    left_out: int
    treated_contacted: int
    held_out_contacted: int
    treated_responses: int | None
    held_out_responses: int | None
    treated_rate: Fraction | None
    held_out_rate: Fraction | None
    effect: Decimal | None
    effect_low: Decimal | None
    effect_high: Decimal | None
    treated_revenue: Decimal | None
    held_out_revenue: Decimal | None
    incremental_revenue: Decimal | None
    incremental_revenue_low: Decimal | None
    incremental_revenue_high: Decimal | None
    cost: Decimal | None
    return_on_cost: Decimal | None
    is_significant: bool
    is_revenue_significant: bool
    starts_on: date
    window_ends_on: date


def campaigns_of(staging: Staging, as_of_date: date | None, rules: Rules) -> list[Campaign]:
    """The accepted campaigns."""
    return [
        Campaign(
            campaign_id=row["campaign_id"],
            campaign_name=row["campaign_name"],
            starts_on=row["starts_on"],
            window_ends_on=row["starts_on"] + timedelta(days=rules.campaign_response_days - 1),
            target_tier_code=row["target_tier_code"],
            cost_amount=row["cost_amount"],
            holdout_percent=(
                Decimal(rules.holdout_percent)
                if row["holdout_percent"] is None
                else row["holdout_percent"]
            ),
            as_of_date=as_of_date,
        )
        for row in staging.rows("campaigns")
    ]


def review_before(campaign: Campaign, rules: Rules) -> date:
    """The end of the last review that ends before a campaign starts."""
    return previous_period_end(calendar_period(campaign.starts_on, rules.review_period))


# -- Hold-outs -------------------------------------------------------------------------------------


def publish(
    before: Sequence[Assignment],
    campaigns: Sequence[Campaign],
    reviews: Reviews,
    erased: set[str],
    rules: Rules,
) -> list[Assignment]:
    """The published lists after a build that found those of ``before``."""
    as_of_date = next((campaign.as_of_date for campaign in campaigns), None)
    if as_of_date is None or as_of_date < max((a.assigned_on for a in before), default=as_of_date):
        return list(before)
    begun = {campaign.campaign_id for campaign in campaigns if campaign.has_begun}
    kept = [a for a in before if not a.is_preliminary or a.campaign_id in begun]
    listed = {assignment.campaign_id for assignment in kept}
    for campaign in campaigns:
        if not campaign.has_begun and campaign.campaign_id not in listed:
            kept += _assign(campaign, reviews, erased, rules)
    return kept


def _assign(
    campaign: Campaign, reviews: Reviews, erased: set[str], rules: Rules
) -> Iterator[Assignment]:
    wanted = review_before(campaign, rules)
    is_preliminary = wanted > campaign.as_of_date
    reviewed_on = max(reviews, default=None) if is_preliminary else wanted
    tiers: dict[str, list[str]] = defaultdict(list)
    if campaign.holdout_percent > 0:
        for customer_id, row in reviews.get(reviewed_on, {}).items():
            if customer_id not in erased and campaign.target_tier_code in (None, row.tier_code):
                tiers[row.tier_code].append(customer_id)
    for tier_code, customers in tiers.items():
        share = Fraction(campaign.holdout_percent) / 100
        held_out = floor(share * len(customers) + Fraction(1, 2))
        customers.sort(key=lambda customer_id: _digits(campaign.campaign_id, customer_id))
        for place, customer_id in enumerate(customers):
            yield Assignment(
                campaign_id=campaign.campaign_id,
                customer_id=customer_id,
                contact_group=HOLDOUT if place < held_out else TREATMENT,
                tier_code=tier_code,
                is_preliminary=is_preliminary,
                reviewed_on=reviewed_on,
                assigned_on=campaign.as_of_date,
            )


def _digits(*parts: object) -> str:
    return md5("|".join(map(str, parts)).encode()).hexdigest()


def resolve(
    published: Iterable[Assignment], people: Identity, as_of_date: date | None
) -> tuple[list[Assignment], set[tuple[str, str]]]:
    """Lists of customers as they are known now, and who is on both sides of one and so left out."""
    found: dict[tuple[str, str], list[Assignment]] = defaultdict(list)
    for assignment in published:
        customer_id = people.reviewed(assignment.customer_id)
        if as_of_date and assignment.assigned_on <= as_of_date and customer_id in people.attributes:
            found[assignment.campaign_id, customer_id].append(assignment)
    resolved, left_out = [], set()
    for (campaign_id, customer_id), rows in found.items():
        if len({row.contact_group for row in rows}) > 1:
            left_out.add((campaign_id, customer_id))
            continue
        own = [row.tier_code for row in rows if row.customer_id == customer_id]
        tier_code = min(own or [row.tier_code for row in rows])
        resolved.append(replace(rows[0], customer_id=customer_id, tier_code=tier_code))
    return resolved, left_out


# -- Effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of one customer of a campaign."""

    customer_id: str
    contact_group: str
    is_contacted: bool
    has_responded: bool
    revenue: Decimal
    tier_code: str
    segment_code: str


def campaign_effects(
    campaigns: Sequence[Campaign],
    assigned: Sequence[Assignment],
    left_out: set[tuple[str, str]],
    staging: Staging,
    people: Identity,
    ledger_of: Mapping[str, Sequence[LedgerRow]],
    reviews: Reviews,
    periods: Sequence[Period],
    rules: Rules,
) -> list[CampaignEffect]:
    """Every campaign; one that is over also by tier and segment of the review before it."""
    closed = {period.period_end for period in periods if not period.is_open_period}
    effects = []
    for campaign in campaigns:
        groups = {
            a.customer_id: a.contact_group
            for a in assigned
            if a.campaign_id == campaign.campaign_id
        }
        groups |= {name: "left_out" for listed, name in left_out if listed == campaign.campaign_id}
        contacts = _contacts(campaign, staging, people)
        assigned_by = "holdout_assignments" if groups else "contact_group" if contacts else None
        if not groups:
            groups = {
                name: found.copy().pop() if len(found) == 1 else "left_out"
                for name, found in contacts.items()
            }
        reviewed_on = review_before(campaign, rules)
        review = reviews[reviewed_on] if reviewed_on in closed else {}
        outcomes = [
            _outcome(campaign, name, group, contacts, ledger_of.get(name, ()), review.get(name))
            for name, group in groups.items()
        ]
        cells = {("all", "all"): outcomes}
        for dimension in ("tier", "segment") if campaign.is_over else ():
            for outcome in outcomes:
                key = dimension, getattr(outcome, f"{dimension}_code")
                cells.setdefault(key, []).append(outcome)
        effects += [_effect(campaign, assigned_by, *key, of) for key, of in cells.items()]
    return effects


def _contacts(campaign: Campaign, staging: Staging, people: Identity) -> dict[str, set[str]]:
    """In which groups each customer was by as_of_date; a contact that does not say treated its customer."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in staging.rows("campaign_contacts"):
        if (
            row["campaign_id"] == campaign.campaign_id
            and campaign.as_of_date is not None
            and row["contacted_at"].day <= campaign.as_of_date
        ):
            found[people.reviewed(row["customer_id"])].add(row["contact_group"] or TREATMENT)
    return found


def _outcome(
    campaign: Campaign,
    customer_id: str,
    group: str,
    contacts: Mapping[str, set[str]],
    ledger: Iterable[LedgerRow],
    review: CustomerPeriodRow | None,
) -> Outcome:
    in_window = [
        row
        for row in ledger
        if campaign.starts_on <= row.order_date <= campaign.window_ends_on
        and row.known_date <= campaign.as_of_date
    ]
    return Outcome(
        customer_id=customer_id,
        contact_group=group,
        is_contacted=TREATMENT in contacts.get(customer_id, ()),
        has_responded=sum(row.orders_delta for row in in_window) > 0,
        revenue=sum((row.revenue_delta for row in in_window), ZERO),
        tier_code=review.tier_code if review else NO_TIER,
        segment_code=review.segment_code if review else "prospect",
    )


def _effect(
    campaign: Campaign,
    assigned_by: str | None,
    dimension: str,
    value: str,
    outcomes: Sequence[Outcome],
) -> CampaignEffect:
    treated = [outcome for outcome in outcomes if outcome.contact_group == TREATMENT]
    held_out = [outcome for outcome in outcomes if outcome.contact_group == HOLDOUT]
    status = "judged" if treated and held_out else "no_holdout"
    if not campaign.is_over:
        status = "pending"
    is_over, is_judged = campaign.is_over, status == "judged"
    responses = [sum(o.has_responded for o in group) for group in (treated, held_out)]
    revenue = [sum((o.revenue for o in group), ZERO) for group in (treated, held_out)]
    effect = (None, None, None)
    incremental = low = high = None
    if is_judged:
        effect = newcombe(responses[0], len(treated), responses[1], len(held_out))
        per_held_out = Fraction(revenue[1]) * len(treated) / len(held_out)
        incremental = revenue[0] - Decimal(floor(per_held_out * 100 + Fraction(1, 2))) * CENT
        if min(len(treated), len(held_out)) >= FEWEST:
            low, high = bootstrap(campaign.campaign_id, treated, held_out)
    cost = campaign.cost_amount if dimension == "all" else None
    is_known = is_over and assigned_by is not None
    return CampaignEffect(
        campaign_id=campaign.campaign_id,
        campaign_name=campaign.campaign_name,
        dimension=dimension,
        dimension_value=value,
        effect_status=status,
        assigned_by=assigned_by,
        treated=len(treated),
        held_out=len(held_out),
        left_out=len(outcomes) - len(treated) - len(held_out),
        treated_contacted=sum(o.is_contacted for o in treated),
        held_out_contacted=sum(o.is_contacted for o in held_out),
        treated_responses=responses[0] if is_known else None,
        held_out_responses=responses[1] if is_known else None,
        treated_rate=Fraction(responses[0], len(treated)) if is_over and treated else None,
        held_out_rate=Fraction(responses[1], len(held_out)) if is_over and held_out else None,
        effect=effect[0],
        effect_low=effect[1],
        effect_high=effect[2],
        treated_revenue=revenue[0] if is_known else None,
        held_out_revenue=revenue[1] if is_known else None,
        incremental_revenue=incremental,
        incremental_revenue_low=low,
        incremental_revenue_high=high,
        cost=cost,
        return_on_cost=_rounded(incremental / cost, 4)
        if cost and incremental is not None
        else None,
        is_significant=is_judged and (effect[1] > 0 or effect[2] < 0),
        is_revenue_significant=low is not None and (low > 0 or high < 0),
        starts_on=campaign.starts_on,
        window_ends_on=campaign.window_ends_on,
    )


def _rounded(number: Decimal | float, places: int) -> Decimal:
    return Decimal(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def newcombe(x1: int, n1: int, x2: int, n2: int) -> tuple[Decimal, Decimal, Decimal]:
    """The difference of two proportions in percentage points, with method 10 of Newcombe (1998)."""
    (p1, low1, high1), (p2, low2, high2) = wilson(x1, n1), wilson(x2, n2)
    below = sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    above = sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)
    difference = p1 - p2
    return tuple(
        _rounded(100 * number, 6) for number in (difference, difference - below, difference + above)
    )


def wilson(successes: int, trials: int) -> tuple[float, float, float]:
    """A proportion and the bounds of Wilson's score interval of 95 %."""
    part = successes / trials
    middle = (successes + Z**2 / 2) / (trials + Z**2)
    half = Z / (trials + Z**2) * sqrt(successes * (trials - successes) / trials + Z**2 / 4)
    return part, middle - half, middle + half


def bootstrap(
    campaign_id: str, treated: Sequence[Outcome], held_out: Sequence[Outcome]
) -> tuple[Decimal, Decimal]:
    """The 25th and 975th of 999 replicates, each of as many buckets as there are, drawn with replacement."""
    means = []
    for group, outcomes in ((TREATMENT, treated), (HOLDOUT, held_out)):
        customers, cents = [0] * 256, [0] * 256
        for outcome in outcomes:
            bucket = int(_digits(campaign_id, outcome.customer_id)[-2:], 16)
            customers[bucket] += 1
            cents[bucket] += int(outcome.revenue * 100)
        of_group = []
        for replicate in range(REPLICATES):
            drawn = b"".join(
                bytes.fromhex(_digits(campaign_id, group, replicate, part)) for part in range(16)
            )
            of_group.append(
                sum(cents[bucket] for bucket in drawn)
                / 100
                / sum(customers[bucket] for bucket in drawn)
            )
        means.append(of_group)
    differences = sorted((one - other) * len(treated) for one, other in zip(*means, strict=True))
    return _rounded(differences[24], 2), _rounded(differences[974], 2)
