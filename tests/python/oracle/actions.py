"""Actions: what to do next with every customer, from the playbook and the open alerts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from oracle.affinity import Recommendation
from oracle.alerts import EVIDENCE, AlertReview, Contacts, CustomerAlert, figure
from oracle.marts import Customer
from oracle.rules import Play, Rules

NO_ACTION = "none"
NO_CONTACTS: Mapping[str, Contacts] = {}
NOTHING: Mapping[str, Recommendation] = {}
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
    """customer_actions: an action that is due, the reason, when, whether marketing is allowed, and for what."""

    customer_id: str
    action_code: str
    owner_department: str | None
    channel: str | None
    offer: str | None
    because: str | None
    priority: int
    is_marketing: bool
    is_contactable: bool
    due_on: date | None
    last_contact_on: date | None
    recommended_kind: str | None
    recommended_id: str | None
    recommended_name: str | None


def customer_actions(
    customers: Iterable[Customer],
    alerts: Iterable[CustomerAlert],
    rules: Rules,
    contacts_of: Mapping[str, Contacts] = NO_CONTACTS,
    as_of_date: date | None = None,
    recommended: Mapping[str, Recommendation] = NOTHING,
) -> list[CustomerAction]:
    """The actions of all customers who are reviewed by themselves, the most urgent of each first."""
    open_alerts: dict[str, dict[str, AlertReview]] = defaultdict(dict)
    for alert in alerts:
        if alert.is_open:
            open_alerts[alert.customer_id][alert.alert_code] = alert.last
    return [
        _action(
            customer,
            play,
            open_alerts[customer.customer_id],
            _last_contact(contacts_of.get(customer.customer_id, Contacts()), as_of_date),
            as_of_date,
            rules,
            recommended.get(customer.customer_id)
            if play.offer in rules.recommending_offers
            else None,
        )
        for customer in customers
        if customer.reviewed_customer_id == customer.customer_id
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


def _last_contact(contacts: Contacts, as_of_date: date | None) -> date | None:
    if as_of_date is None:
        return None
    return max((day for day in contacts.personal_days if day <= as_of_date), default=None)


def _due_on(
    play: Play, tier_rank: int, last_contact: date | None, as_of_date: date | None, rules: Rules
) -> date | None:
    """At once for an alert and without a contact, else when the tier's rhythm asks for the next contact."""
    if play.action_code == NO_ACTION:
        return None
    if play.alert_code or last_contact is None:
        return as_of_date
    rank_from = max(rank for rank in rules.contact_rhythms if rank <= tier_rank)
    return last_contact + timedelta(days=rules.contact_rhythms[rank_from])


def _action(
    customer: Customer,
    play: Play,
    alerts: Mapping[str, AlertReview],
    last_contact: date | None,
    as_of_date: date | None,
    rules: Rules,
    recommended: Recommendation | None,
) -> CustomerAction:
    return CustomerAction(
        customer_id=customer.customer_id,
        action_code=play.action_code,
        owner_department=play.owner_department,
        channel=play.channel,
        offer=play.offer,
        because=_because(play, alerts.get(play.alert_code)),
        priority=play.priority,
        is_marketing=play.is_marketing,
        is_contactable=customer.has_marketing_consent is True,
        due_on=_due_on(play, customer.tier_rank, last_contact, as_of_date, rules),
        last_contact_on=last_contact,
        recommended_kind=recommended and recommended.recommended_kind,
        recommended_id=recommended and recommended.recommended_id,
        recommended_name=recommended and recommended.recommended_name,
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
