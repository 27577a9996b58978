"""Cohorts: customers by the month of their first order, and when they come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from oracle.money import ZERO, Order

WITHIN_DAYS = (30, 60, 90, 365)


@dataclass(frozen=True)
class CustomerCohort:
    """customer_cohorts: what the customers of a cohort ordered in one month."""

    cohort_month: date
    months_since: int
    month_start: date
    customers: int
    active_customers: int
    orders: int
    revenue: Decimal
    is_open_month: bool


@dataclass(frozen=True)
class CohortRepeatRate:
    """cohort_repeat_rates; None unless the whole cohort was observed that long."""

    cohort_month: date
    within_days: int
    customers: int
    observed_customers: int
    repeat_customers: int | None

    @property
    def repeat_rate(self) -> Fraction | None:
        """The exact share of the cohort."""
        if self.repeat_customers is None:
            return None
        return Fraction(self.repeat_customers, self.customers)


Cohorts = dict[date, list[list[Order]]]


def cohorts_of(orders: Iterable[Order], as_of_date: date) -> Cohorts:
    """By month of the first order: the valid orders of each customer, oldest first."""
    valid: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        if order.customer_id is not None and order.is_valid_on(as_of_date):
            valid[order.customer_id].append(order)
    cohorts: Cohorts = defaultdict(list)
    for of_customer in valid.values():
        of_customer.sort(key=lambda order: order.order_date)
        cohorts[_month(of_customer[0].order_date)].append(of_customer)
    return cohorts


def customer_cohorts(cohorts: Cohorts, as_of_date: date) -> Iterator[CustomerCohort]:
    """Each month from a cohort's first one to that of as_of_date."""
    for cohort_month, members in cohorts.items():
        month, number = cohort_month, 0
        while month <= as_of_date:
            after = _month(month + timedelta(days=31))
            bought = [
                [order for order in orders if month <= order.order_date < after]
                for orders in members
            ]
            there = [order for orders in bought for order in orders]
            yield CustomerCohort(
                cohort_month=cohort_month,
                months_since=number,
                month_start=month,
                customers=len(members),
                active_customers=sum(bool(orders) for orders in bought),
                orders=len(there),
                revenue=sum(
                    (
                        order.order_amount_reporting - order.refunded_by(as_of_date)
                        for order in there
                    ),
                    ZERO,
                ),
                is_open_month=as_of_date < after - timedelta(days=1),
            )
            month, number = after, number + 1


def cohort_repeat_rates(cohorts: Cohorts, as_of_date: date) -> Iterator[CohortRepeatRate]:
    """Each cohort and number of days."""
    for cohort_month, members in cohorts.items():
        for days in WITHIN_DAYS:
            limit = timedelta(days=days)
            observed = sum(as_of_date - orders[0].order_date >= limit for orders in members)
            repeated = sum(
                len(orders) > 1 and orders[1].order_date - orders[0].order_date <= limit
                for orders in members
            )
            yield CohortRepeatRate(
                cohort_month=cohort_month,
                within_days=days,
                customers=len(members),
                observed_customers=observed,
                repeat_customers=repeated if observed == len(members) else None,
            )


def _month(day: date) -> date:
    return day.replace(day=1)
