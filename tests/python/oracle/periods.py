"""Review periods and the date that everything is as of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from oracle.money import Order
from oracle.rules import Rules

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A review period. ``calendar_end`` is its last calendar day; an open period ends earlier."""

    period_start: date
    period_end: date
    calendar_end: date

    @property
    def is_open_period(self) -> bool:
        """Whether the period is not over yet as of its period_end."""
        return self.period_end < self.calendar_end


def calendar_period(day: date, review_period: str) -> Period:
    """The whole month, week (Monday to Sunday) or quarter that holds a day."""
    if review_period == "week":
        start = day - timedelta(days=day.weekday())
        end = start + timedelta(days=6)
    else:
        months = {"month": 1, "quarter": 3}[review_period]
        start = day.replace(month=(day.month - 1) // months * months + 1, day=1)
        end = (start + timedelta(days=31 * months)).replace(day=1) - DAY
    return Period(start, end, end)


def following(period: Period, review_period: str, count: int = 1) -> Period:
    """The calendar period ``count`` periods later (0: the same)."""
    for _ in range(count):
        period = calendar_period(period.calendar_end + DAY, review_period)
    return period


def previous_period_end(period: Period) -> date:
    """Last day of the period before."""
    return period.period_start - DAY


def find_as_of_date(orders: Iterable[Order], rules: Rules, run_date: date) -> date | None:
    """The date that the var as_of_date means; None for `latest` without any order that enters.

    `latest` is the last day of the run or before it on which an order that enters became known, or
    what reverses it.
    """
    if isinstance(rules.as_of_date, date):
        return rules.as_of_date
    if rules.as_of_date == "yesterday":
        return run_date - DAY
    if rules.as_of_date == "latest":
        entering = [order for order in orders if order.enters]
        days = [order.order_date for order in entering]
        days += [reversal.known_date for order in entering for reversal in order.reversals]
        return max((day for day in days if day <= run_date), default=None)
    return date.fromisoformat(rules.as_of_date)


def review_periods(orders: Iterable[Order], as_of_date: date | None, rules: Rules) -> list[Period]:
    """All periods from a customer's first entering order to as_of_date; the last may be open."""
    first = min(
        (o.order_date for o in orders if o.enters and o.customer_id is not None), default=None
    )
    if first is None or as_of_date is None or first > as_of_date:
        return []
    periods = [calendar_period(first, rules.review_period)]
    while periods[-1].calendar_end < as_of_date:
        periods.append(following(periods[-1], rules.review_period))
    last = periods.pop()
    return [*periods, Period(last.period_start, as_of_date, last.calendar_end)]
