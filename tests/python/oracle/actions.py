"""Actions: what to do next with every customer, from the playbook and the open alerts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from oracle.alerts import EVIDENCE, AlertReview, CustomerAlert, figure
from oracle.marts import Customer
from oracle.rules import Play, Rules

NO_ACTION = "none"
NEUTRAL = "neutral"
PLACES = {
    "{measure}": "measure",
    "{now}": "value_now",
    "{before}": "value_before",
    "{detail}": "detail",
}

ERASED = re.compile(r"erased_[0-9]{6,}(_[0-9]+)?")  # for them nothing is due


@dataclass(frozen=True)
class CustomerAction:
    """customer_actions: an action that is due, the reason, and whether marketing is allowed."""

    customer_id: str
    action_code: str
    owner_department: str | None
    channel: str | None
    offer: str | None
    because: str | None
    priority: int
    is_contactable: bool


def customer_actions(
    customers: Iterable[Customer], alerts: Iterable[CustomerAlert], rules: Rules
) -> list[CustomerAction]:
    """The actions of all customers, the most urgent of each first."""
    open_alerts: dict[str, dict[str, AlertReview]] = defaultdict(dict)
    for alert in alerts:
        if alert.is_open:
            open_alerts[alert.customer_id][alert.alert_code] = alert.last
    return [
        _action(customer, play, open_alerts[customer.customer_id])
        for customer in customers
        for play in plays_of(customer, open_alerts[customer.customer_id], rules)
    ]


def plays_of(customer: Customer, alerts: Mapping[str, AlertReview], rules: Rules) -> Sequence[Play]:
    """The plays for a customer with some open alerts, the smallest priority first."""
    matching = [play for play in rules.playbook if _matches(play, customer, alerts)]
    allowed = [
        play
        for play in matching
        if play.action_code != NO_ACTION
        and not ERASED.fullmatch(customer.customer_id)
        and (customer.has_marketing_consent is True or not play.is_marketing)
    ]
    chosen = _of_one_stance(_first_of_each_action(allowed))[: rules.max_open_actions]
    return chosen or [play for play in matching if play.action_code == NO_ACTION][:1]


def _matches(play: Play, customer: Customer, alerts: Mapping[str, AlertReview]) -> bool:
    rank = customer.tier_rank
    return (
        (play.tier_rank_from is None or rank >= play.tier_rank_from)
        and (play.tier_rank_to is None or rank <= play.tier_rank_to)
        and play.segment_code in (None, customer.segment_code)
        and play.lifecycle_stage in (None, customer.lifecycle_stage)
        and (play.alert_code is None or play.alert_code in alerts)
    )


def _first_of_each_action(plays: Iterable[Play]) -> list[Play]:
    first: dict[str, Play] = {}
    for play in plays:
        first.setdefault(play.action_code, play)
    return list(first.values())


def _of_one_stance(plays: Sequence[Play]) -> list[Play]:
    """The plays without those that would work against the first one that takes a stance."""
    stance = next((play.stance for play in plays if play.stance != NEUTRAL), NEUTRAL)
    return [play for play in plays if play.stance in (NEUTRAL, stance)]


def _action(customer: Customer, play: Play, alerts: Mapping[str, AlertReview]) -> CustomerAction:
    return CustomerAction(
        customer_id=customer.customer_id,
        action_code=play.action_code,
        owner_department=play.owner_department,
        channel=play.channel,
        offer=play.offer,
        because=_because(play, alerts.get(play.alert_code)),
        priority=play.priority,
        is_contactable=customer.has_marketing_consent is True,
    )


def _because(play: Play, alert: AlertReview | None) -> str | None:
    """The reason with the figures of the play's alert; one that is not known is a dash."""
    text = play.because
    if text is None:
        return None
    names = {} if alert is None else {v: k for k, v in EVIDENCE[alert.alert_code].items()}
    for place, column in PLACES.items():
        value = None if alert is None else getattr(alert, column)
        text = text.replace(place, figure(value, "-", names.get(column, "")))
    return text
