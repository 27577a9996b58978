"""Profiles: of each customer what is to be seen first, and the codes of all the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from oracle.actions import NO_ACTION, CustomerAction
from oracle.alerts import CustomerAlert
from oracle.marts import Customer, CustomerTier
from oracle.periods import Period

GRAVEST_FIRST = ("high", "medium", "low")


@dataclass(frozen=True)
class CustomerProfile:
    """customer_profiles, without the labels: the gravest open alert, of these the latest, and the first action."""

    customer_id: str
    root_customer_id: str
    alert_codes: str | None
    alert_code: str | None
    alert_severity: str | None
    alert_evidence: str | None
    alert_raised_on: date | None
    action_codes: str | None
    action_code: str | None
    action_department: str | None
    action_channel: str | None
    action_offer: str | None
    action_recommendation: str | None
    action_because_en: str | None
    action_due_on: date | None
    attributes: str | None
    tier_code: str
    points_to_next: Decimal | None
    management_score: Decimal | None
    high_net_worth: str | None
    newest_balance: Decimal | None
    average_balance: Decimal | None
    lifetime_orders: int
    lifetime_revenue: Decimal
    first_order_on: date | None
    last_order_on: date | None
    is_provisional: bool
    next_review_on: date | None
    as_of_date: date | None


def customer_profiles(
    customers: Iterable[Customer],
    tiers: Mapping[str, CustomerTier],
    alerts: Iterable[CustomerAlert],
    actions: Iterable[CustomerAction],
    reviews: Sequence[Period],
    attributes: Mapping[str, str | None],
) -> list[CustomerProfile]:
    """The profile of every customer at the newest review."""
    alerts_of: dict[str, list[CustomerAlert]] = defaultdict(list)
    for alert in alerts:
        if alert.is_open:
            alerts_of[alert.customer_id].append(alert)
    for found in alerts_of.values():
        found.sort(
            key=lambda alert: (
                GRAVEST_FIRST.index(alert.severity),
                -alert.raised_on.toordinal(),
                alert.alert_code,
            )
        )
    actions_of: dict[str, list[CustomerAction]] = defaultdict(list)
    for action in sorted(actions, key=lambda action: action.priority):
        if action.action_code != NO_ACTION:
            actions_of[action.customer_id].append(action)
    return [
        _profile(
            customer,
            tiers.get(customer.reviewed_customer_id),
            alerts_of[customer.reviewed_customer_id],
            [
                action
                for action in actions_of[customer.reviewed_customer_id]
                if customer.has_marketing_consent or not action.is_marketing
            ],
            reviews[-1] if reviews else None,
            attributes.get(customer.customer_id),
        )
        for customer in customers
    ]


def listed(values: Mapping[str, set[str]], names: Sequence[str]) -> str | None:
    """Attributes in the order of their names, each with its values: `diet: vegan; hobby: tea, travel`."""
    known = [f"{name}: {', '.join(sorted(values[name]))}" for name in names if values.get(name)]
    return "; ".join(known) or None


def _profile(
    customer: Customer,
    tier: CustomerTier | None,
    alerts: Sequence[CustomerAlert],
    actions: Sequence[CustomerAction],
    review: Period | None,
    attributes: str | None,
) -> CustomerProfile:
    alert, action = next(iter(alerts), None), next(iter(actions), None)
    return CustomerProfile(
        customer_id=customer.customer_id,
        root_customer_id=customer.root_customer_id,
        alert_codes=";".join(one.alert_code for one in alerts) or None,
        alert_code=alert and alert.alert_code,
        alert_severity=alert and alert.severity,
        alert_evidence=alert and alert.evidence,
        alert_raised_on=alert and alert.raised_on,
        action_codes=";".join(one.action_code for one in actions) or None,
        action_code=action and action.action_code,
        action_department=action and action.owner_department,
        action_channel=action and action.channel,
        action_offer=action and action.offer,
        action_recommendation=action and action.recommended_name,
        action_because_en=action and action.because,
        action_due_on=action and action.due_on,
        attributes=attributes,
        tier_code=customer.tier_code,
        points_to_next=tier and tier.points_to_next,
        management_score=customer.management_score,
        high_net_worth=customer.high_net_worth,
        newest_balance=customer.newest_balance,
        average_balance=customer.average_balance,
        lifetime_orders=customer.lifetime_orders,
        lifetime_revenue=customer.lifetime_revenue,
        first_order_on=customer.first_order_on,
        last_order_on=customer.last_order_on,
        is_provisional=review is not None and review.is_open_period,
        next_review_on=tier and tier.next_review_on,
        as_of_date=review and review.period_end,
    )
