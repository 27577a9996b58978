"""Alerts: what should be looked at, review by review, and the stretches in which it holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from oracle.identity import Identity
from oracle.money import ZERO, LedgerRow
from oracle.periods import Period, following, previous_period_end
from oracle.reading import Row, Staging
from oracle.rfm import TREND_DAYS, Edges, half_years
from oracle.rules import AlertRule, Rules
from oracle.scores import rounded
from oracle.signals import Timeline, newest_answer
from oracle.tiers import CustomerPeriod, TierState, review

SEVERITIES = ("low", "medium", "high")
PERIODS_PER_YEAR = {"month": 12, "week": 52, "quarter": 4}

# What the evidence of an alert tells, in this order, and the figures behind it.
EVIDENCE = {
    "purchases_slowing": {
        "gap_ratio": "measure",
        "days_since_last_order": "value_now",
        "expected_gap_days": "value_before",
    },
    "spend_drop": {
        "fall_percent": "measure",
        "revenue_last_half_year": "value_now",
        "revenue_half_year_before": "value_before",
    },
    "complaint_surge": {
        "more_complaints": "measure",
        "recent_complaints": "value_now",
        "complaints_before": "value_before",
    },
    "unanswered_complaint": {
        "days_open": "measure",
        "open_complaints": "value_now",
        "open_complaints_before": "value_before",
    },
    "detractor_in_high_tier": {
        "nps_answer": "value_now",
        "nps_answer_before": "value_before",
    },
    "downgrade_ahead": {
        "days_left": "measure",
        "points_missing": "detail",
        "management_score": "value_now",
        "management_score_before": "value_before",
    },
    "silent_high_value": {
        "silent_days": "value_now",
        "expected_gap_days": "value_before",
    },
    "unusually_good_period": {
        "ratio": "measure",
        "period_revenue": "value_now",
        "usual_revenue": "value_before",
    },
    "one_order_to_next_tier": {
        "points_to_spare": "measure",
        "points_missing": "detail",
        "management_score": "value_now",
        "management_score_before": "value_before",
    },
}


# -- Figures ---------------------------------------------------------------------------------------

Number = int | Decimal | Fraction


def nearest(value: Number | None) -> Decimal | None:
    """To two decimals, half away from zero; what is not known stays so."""
    if value is None:
        return None
    hundredths = floor(abs(Fraction(value)) * 100 + Fraction(1, 2))
    return Decimal(hundredths if value >= 0 else -hundredths).scaleb(-2)


def rounded_up(value: Number) -> Decimal:
    """To two decimals, never less."""
    return Decimal(ceil(Fraction(value) * 100)).scaleb(-2)


def rounded_down(value: Number) -> Decimal:
    """To two decimals, never more."""
    return Decimal(floor(Fraction(value) * 100)).scaleb(-2)


MONEY_AND_SCORES = {
    *("revenue_last_half_year", "revenue_half_year_before", "period_revenue", "usual_revenue"),
    *("management_score", "management_score_before", "points_missing", "points_to_spare"),
}
DAYS = {"days_since_last_order", "expected_gap_days", "days_open", "days_left", "silent_days"}


def figure(value: Decimal | None, unknown: str, name: str = "") -> str:
    """A figure as text by its name in EVIDENCE: days whole, half up; money and scores with two decimals.

    Any other has two decimals, or none when it is whole.
    """
    if value is None:
        return unknown
    if name in DAYS:
        return str(floor(value + Decimal("0.5")))
    is_whole = value % 1 == 0 and name not in MONEY_AND_SCORES
    return f"{value:.0f}" if is_whole else f"{value:.2f}"


# -- Contacts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Complaint:
    """The days on which a complaint was opened and closed (None: never)."""

    opened_on: date
    closed_on: date | None

    def is_open_on(self, day: date) -> bool:
        """Whether it waits for an answer at the end of a day."""
        return self.opened_on <= day and (self.closed_on is None or self.closed_on > day)


@dataclass(frozen=True)
class Contacts:
    """One customer's complaints, NPS answers, days of contact of whatever kind, and of calls, messages and tickets."""

    complaints: Sequence[Complaint] = ()
    nps_answers: Timeline = field(default_factory=lambda: Timeline(()))
    days: Sequence[date] = ()
    personal_days: Sequence[date] = ()

    def opened_between(self, after: date, until: date) -> int:
        """Number of complaints opened in (after, until]."""
        return sum(after < complaint.opened_on <= until for complaint in self.complaints)

    def open_on(self, day: date) -> list[Complaint]:
        """The complaints that wait for an answer at the end of a day."""
        return [complaint for complaint in self.complaints if complaint.is_open_on(day)]


def contacts_of_customers(staging: Staging, people: Identity) -> dict[str, Contacts]:
    """Contacts of every customer, also of those who never ordered."""
    tables = ("interactions", "tickets", "survey_responses")
    rows_of: dict[str, dict[str, list[Row]]] = {
        customer_id: {table: [] for table in tables} for customer_id in people.attributes
    }
    for table in tables:
        for row in staging.rows(table):
            rows_of[people.reviewed(row["customer_id"])][table].append(row)
    return {customer_id: _contacts(rows) for customer_id, rows in rows_of.items()}


def _contacts(rows: Mapping[str, list[Row]]) -> Contacts:
    answers = rows["survey_responses"]
    return Contacts(
        complaints=[
            Complaint(row["opened_at"].day, row["closed_at"] and row["closed_at"].day)
            for row in rows["tickets"]
            if row["ticket_type"] == "complaint"
        ],
        nps_answers=Timeline(
            (row["responded_at"].day, row) for row in answers if row["survey_type"] == "nps"
        ),
        days=[
            *(row["occurred_at"].day for row in rows["interactions"]),
            *(row["opened_at"].day for row in rows["tickets"]),
            *(row["responded_at"].day for row in answers),
        ],
        personal_days=[
            *(row["opened_at"].day for row in rows["tickets"]),
            *(
                row["occurred_at"].day
                for row in rows["interactions"]
                if row["interaction_type"] in ("call", "message")
            ),
        ],
    )


# -- Candidates ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Candidate:
    """What an alert would say of a customer at a review, figures to two decimals.

    ``measure`` and ``basis`` are what rules look at; what the other figures are, see EVIDENCE.
    """

    alert_code: str
    measure: Decimal
    value_now: Decimal | None
    value_before: Decimal | None
    detail: Decimal | None = None
    basis: int | None = None


@dataclass(frozen=True)
class Situation:
    """A customer at a review: all that alerts look at.

    ``row`` is None before the customer's first ledger row, ``before`` (the row of the period
    before) at the first one. ``earlier`` are the rows of as many periods before as a year has.
    """

    period: Period
    contacts: Contacts
    row: CustomerPeriod | None = None
    before: CustomerPeriod | None = None
    earlier: Sequence[CustomerPeriod] = ()
    ledger: Sequence[LedgerRow] = ()
    frequency_edges: Sequence[Decimal] = ()

    @property
    def tier_rank(self) -> int:
        """The rank held after the review, 0 without a tier."""
        return self.row.state.tier_rank if self.row else 0

    @property
    def score_before(self) -> Decimal | None:
        """The management score of the period before, unrounded."""
        return self.before.management_score if self.before else None


def purchases_slowing(now: Situation, rules: Rules) -> Candidate | None:
    """Days since the last order, as a multiple of the customer's own rhythm."""
    rhythm, recency_days = now.row.lifecycle, now.row.measures.recency_days
    if not rhythm.has_own_gap or recency_days is None:
        return None
    return Candidate(
        "purchases_slowing",
        measure=nearest(Fraction(recency_days) / Fraction(rhythm.expected_gap_days)),
        value_now=nearest(recency_days),
        value_before=nearest(rhythm.expected_gap_days),
        basis=rhythm.order_days,
    )


def spend_drop(now: Situation, rules: Rules) -> Candidate | None:
    """Per cent by which revenue fell from one half-year to the next."""
    period_end, measures = now.period.period_end, now.row.measures
    first_order_on = measures.first_order_on
    if measures.frequency <= 0 or first_order_on is None:
        return None
    if first_order_on > period_end - timedelta(days=TREND_DAYS):
        return None
    known = [row for row in now.ledger if row.known_date <= period_end]
    earlier, later = half_years(known, period_end)
    if later >= earlier:  # with nothing in the earlier half too
        return None
    return Candidate(
        "spend_drop",
        measure=nearest(100 * Fraction(earlier - later) / Fraction(earlier)),
        value_now=nearest(later),
        value_before=nearest(earlier),
        basis=measures.frequency,
    )


def complaint_surge(now: Situation, rules: Rules) -> Candidate | None:
    """How many more complaints there were lately than in as many days before."""
    end, span = now.period.period_end, timedelta(days=rules.alert_recent_days)
    lately = now.contacts.opened_between(end - span, end)
    before = now.contacts.opened_between(end - 2 * span, end - span)
    if lately <= before:
        return None
    return Candidate(
        "complaint_surge",
        measure=nearest(lately - before),
        value_now=nearest(lately),
        value_before=nearest(before),
    )


def unanswered_complaint(now: Situation, rules: Rules) -> Candidate | None:
    """Days for which the oldest open complaint has waited."""
    period_end = now.period.period_end
    waiting = now.contacts.open_on(period_end)
    if not waiting:
        return None
    oldest = min(complaint.opened_on for complaint in waiting)
    return Candidate(
        "unanswered_complaint",
        measure=nearest((period_end - oldest).days),
        value_now=nearest(len(waiting)),
        value_before=nearest(len(now.contacts.open_on(previous_period_end(now.period)))),
    )


def detractor_in_high_tier(now: Situation, rules: Rules) -> Candidate | None:
    """The newest NPS answer of the window, and the one before it."""
    period_end = now.period.period_end
    start = period_end - timedelta(days=rules.rfm_window_days)
    answers = now.contacts.nps_answers.between(start, period_end)
    newest = newest_answer(answers)
    if newest is None:
        return None
    one_before = newest_answer([answer for answer in answers if answer is not newest])
    return Candidate(
        "detractor_in_high_tier",
        measure=nearest(newest["score"]),
        value_now=nearest(newest["score"]),
        value_before=nearest(one_before and one_before["score"]),
    )


def downgrade_ahead(now: Situation, rules: Rules) -> Candidate | None:
    """Days until the tier could fall, while the customer does not do what keeps it."""
    row, rank = now.row, now.tier_rank
    if rank == 0 or row.k >= rank:
        return None
    tier = rules.ladder_on(now.period.period_end).tier(rank)
    score = row.management_score
    is_known = tier is not None and score is not None
    return Candidate(
        "downgrade_ahead",
        measure=nearest(days_left(row.state, now.period, rules)),
        value_now=nearest(score),
        value_before=nearest(now.score_before),
        detail=rounded_up(max(Decimal(0), tier.keep_score - score)) if is_known else None,
    )


def days_left(state: TierState, period: Period, rules: Rules) -> int:
    """Days to the first review that takes the tier away, if nothing qualifies for it any more.

    ``state`` is that of the newest closed review; an open period is reviewed at its own end.
    """
    period_end, change_type = period.period_end, None
    if not period.is_open_period:
        period = following(period, rules.review_period)
    while change_type not in ("downgrade", "leave"):
        whole = Period(period.period_start, period.calendar_end, period.calendar_end)
        change_type, state = review(state, 0, 0, True, whole, rules)
        period = following(whole, rules.review_period)
    return (whole.period_end - period_end).days


def silent_high_value(now: Situation, rules: Rules) -> Candidate | None:
    """Days since the last order or contact of any kind."""
    period_end, recency_days = now.period.period_end, now.row.measures.recency_days
    if recency_days is None:
        return None
    contacts = [(period_end - day).days for day in now.contacts.days if day <= period_end]
    silent_days = nearest(min([recency_days, *contacts]))
    return Candidate(
        "silent_high_value",
        measure=silent_days,
        value_now=silent_days,
        value_before=nearest(now.row.lifecycle.expected_gap_days),
    )


def unusually_good_period(now: Situation, rules: Rules) -> Candidate | None:
    """Revenue of the period as a multiple of that of the last year's periods with revenue."""
    revenue = now.row.measures.period_revenue
    earlier = [row.measures.period_revenue for row in now.earlier]
    earlier = [amount for amount in earlier if amount > 0]
    if not earlier or revenue <= 0:
        return None
    usual = nearest(Fraction(sum(earlier, ZERO)) / len(earlier))
    if usual <= 0:
        return None
    return Candidate(
        "unusually_good_period",
        measure=nearest(Fraction(revenue) / Fraction(usual)),
        value_now=nearest(revenue),
        value_before=usual,
        basis=len(earlier),
    )


def one_order_to_next_tier(now: Situation, rules: Rules) -> Candidate | None:
    """Points by which one more order today, of any amount, would pass the next tier's entry."""
    measures, score = now.row.measures, now.row.management_score
    tier = rules.ladder_on(now.period.period_end).tier(now.tier_rank + 1)
    if measures.frequency <= 0 or score is None or tier is None:
        return None
    if measures.frequency + 1 < tier.enter_min_orders:
        return None
    if tier.enter_min_revenue is not None and measures.monetary < tier.enter_min_revenue:
        return None
    with_one_more = score + _gain_of_one_order(now.row, now.frequency_edges)
    if with_one_more < tier.enter_score:
        return None
    return Candidate(
        "one_order_to_next_tier",
        measure=rounded_down(with_one_more - tier.enter_score),
        value_now=nearest(score),
        value_before=nearest(now.score_before),
        detail=rounded_up(max(Decimal(0), tier.enter_score - score)),
    )


def _gain_of_one_order(row: CustomerPeriod, frequency_edges: Sequence[Decimal]) -> Decimal:
    """Points that one more order today brings by recency, frequency and repeat rate."""
    frequency = row.measures.frequency + 1
    then = {
        "recency": Decimal(100),
        "frequency": Decimal(25 * sum(edge < frequency for edge in frequency_edges)),
        "repeat_rate": rounded(100 * (frequency - 1), frequency),
    }
    return sum(
        row.weights.effective.get(name, Decimal(0)) * (value - row.values[name])
        for name, value in then.items()
    )


OF_ANYBODY = (complaint_surge, unanswered_complaint)
OF_BUYERS = (
    purchases_slowing,
    spend_drop,
    detractor_in_high_tier,
    downgrade_ahead,
    silent_high_value,
    unusually_good_period,
    one_order_to_next_tier,
)


def candidates(now: Situation, rules: Rules) -> list[Candidate]:
    """All that could be said of a customer at a review."""
    finders = OF_ANYBODY if now.row is None else OF_ANYBODY + OF_BUYERS
    found = (find(now, rules) for find in finders)
    return [candidate for candidate in found if candidate is not None]


# -- Alerts of a review ----------------------------------------------------------------------------


@dataclass(frozen=True)
class AlertReview:
    """int_alert_reviews: an alert that holds for a customer at a review."""

    customer_id: str
    period_end: date
    alert_code: str
    severity: str
    action_code: str
    measure: Decimal
    value_now: Decimal | None
    value_before: Decimal | None
    detail: Decimal | None


def rule_of(candidate: Candidate, tier_rank: int, rules: Rules) -> AlertRule | None:
    """The rule of the highest severity that matches, None when the alert does not hold."""
    matching = [
        rule
        for rule in rules.alert_rules
        if rule.alert_code == candidate.alert_code
        and rule.matches(candidate.measure, candidate.basis, tier_rank)
    ]
    return max(matching, key=lambda rule: SEVERITIES.index(rule.severity), default=None)


def alerts_of_review(customer_id: str, now: Situation, rules: Rules) -> list[AlertReview]:
    """The alerts that hold for a customer at a review."""
    found = []
    for candidate in candidates(now, rules):
        rule = rule_of(candidate, now.tier_rank, rules)
        if rule is not None:
            found.append(
                AlertReview(
                    customer_id=customer_id,
                    period_end=now.period.period_end,
                    alert_code=candidate.alert_code,
                    severity=rule.severity,
                    action_code=rule.action_code,
                    measure=candidate.measure,
                    value_now=candidate.value_now,
                    value_before=candidate.value_before,
                    detail=candidate.detail,
                )
            )
    return found


def alert_reviews(
    by_period: Mapping[Period, Mapping[str, CustomerPeriod]],
    contacts_of: Mapping[str, Contacts],
    ledger_of: Mapping[str, Sequence[LedgerRow]],
    edges: Mapping[tuple[date, str], Edges],
    rules: Rules,
) -> list[AlertReview]:
    """The alerts that hold, of every known customer and review."""
    return [
        alert
        for customer_id, contacts in contacts_of.items()
        for now in _situations(
            contacts,
            {period: rows.get(customer_id) for period, rows in by_period.items()},
            ledger_of.get(customer_id, ()),
            edges,
            PERIODS_PER_YEAR[rules.review_period],
        )
        for alert in alerts_of_review(customer_id, now, rules)
    ]


def _situations(
    contacts: Contacts,
    row_at: Mapping[Period, CustomerPeriod | None],
    ledger: Sequence[LedgerRow],
    edges: Mapping[tuple[date, str], Edges],
    year: int,
) -> Iterable[Situation]:
    """One customer's situation at every review; ``year`` is the number of periods in a year."""
    rows = list(row_at.values())
    for index, (period, row) in enumerate(row_at.items()):
        earlier = rows[max(0, index - year) : index]
        yield Situation(
            period=period,
            contacts=contacts,
            row=row,
            before=earlier[-1] if earlier else None,
            earlier=[row for row in earlier if row is not None],
            ledger=ledger,
            frequency_edges=edges[period.period_end, "frequency"].values,
        )


# -- Stretches -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerAlert:
    """customer_alerts: consecutive reviews at which an alert held, whatever its severity.

    ``last`` is the alert at the last of them. ``raised_on`` is the first one's period end,
    ``resolved_on`` that of the first review without the alert, None while it is open.
    """

    last: AlertReview
    raised_on: date
    resolved_on: date | None

    @property
    def customer_id(self) -> str:
        """Whose alert it is."""
        return self.last.customer_id

    @property
    def alert_code(self) -> str:
        """What is wrong, or unusually right."""
        return self.last.alert_code

    @property
    def severity(self) -> str:
        """How severe it was at last."""
        return self.last.severity

    @property
    def evidence(self) -> str:
        """The figures as a JSON object."""
        names = EVIDENCE[self.alert_code]
        figures = (
            f'"{name}": {figure(getattr(self.last, column), "null", name)}'
            for name, column in names.items()
        )
        return "{" + ", ".join(figures) + "}"

    @property
    def recommended_action_code(self) -> str:
        """What to do about it."""
        return self.last.action_code

    @property
    def value_now(self) -> Decimal | None:
        """The figure that raised it."""
        return self.last.value_now

    @property
    def value_before(self) -> Decimal | None:
        """What to compare it with."""
        return self.last.value_before

    @property
    def is_open(self) -> bool:
        """Whether it still holds at the newest review."""
        return self.resolved_on is None


def customer_alerts(
    alerts: Iterable[AlertReview], reviews: Sequence[Period]
) -> list[CustomerAlert]:
    """The stretches of every customer and alert."""
    period_ends = [period.period_end for period in reviews]
    at: dict[tuple[str, str], dict[date, AlertReview]] = defaultdict(dict)
    for alert in alerts:
        at[alert.customer_id, alert.alert_code][alert.period_end] = alert
    return [stretch for reviews in at.values() for stretch in _stretches(reviews, period_ends)]


def _stretches(
    reviews: Mapping[date, AlertReview], period_ends: Sequence[date]
) -> Iterable[CustomerAlert]:
    """The stretches of one alert of a customer, from the reviews at which it held."""
    raised_on, last = None, None
    for period_end in period_ends:
        alert = reviews.get(period_end)
        if alert is None and last is not None:
            yield CustomerAlert(last, raised_on, resolved_on=period_end)
        elif alert is not None and last is None:
            raised_on = period_end
        last = alert
    if last is not None:
        yield CustomerAlert(last, raised_on, resolved_on=None)
