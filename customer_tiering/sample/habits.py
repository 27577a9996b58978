"""When customers order."""

from __future__ import annotations

import random
from datetime import date, timedelta

from customer_tiering.sample.company import Customer
from customer_tiering.sample.days import DAYS, FIRST_DAY, LAST_DAY, MONTHS, SEASON
from customer_tiering.sample.values import poisson

# Shares of customers in percent, by the habit that rules when they order.
HABITS = {
    "prospect": 7,
    "one_time": 23,
    "steady": 31,
    "growing": 8,
    "fading": 8,
    "lost": 12,
    "won_back": 5,
    "seasonal": 6,
}
ONCE_AT_MOST = ("prospect", "one_time")
# Orders a year of a repeat buyer: log-normal, so that a few order weekly and most a few times.
ORDERS_A_YEAR_MEDIAN, ORDERS_A_YEAR_SPREAD, ORDERS_A_YEAR_MOST = 2.2, 0.95, 40
WON_BACK_GAP = 330  # days without an order


def pace(customer: Customer, day: date) -> float:
    """Orders a year around that day, before season and campaigns."""
    since_turn = (day - customer.turn).days
    factor = 1.0
    if customer.habit == "growing":
        factor = min(3.0, 0.4 + 0.9 * (day - max(customer.joined, FIRST_DAY)).days / 365)
    elif customer.habit == "fading":
        factor = 1.3 * 0.5 ** (max(0, since_turn) / 150)
    elif customer.habit == "lost":
        factor = 1.3 if since_turn < 0 else 0.0
    elif customer.habit == "won_back":
        factor = 0.0 if 0 <= since_turn < WON_BACK_GAP else 1.3
    elif customer.habit == "seasonal":
        factor = 2.0 if day.month in (6, 11, 12) else 0.05
    return factor * customer.orders_a_year


def purchase_days(rng: random.Random, customer: Customer) -> list[date]:
    """The days on which a customer orders."""
    if customer.habit == "prospect":
        return []
    days, first = [], FIRST_DAY - timedelta(1)
    if customer.joined >= FIRST_DAY:  # who signs up orders soon after, rarely at the festival
        first = customer.joined + timedelta(int(rng.expovariate(1 / 6)))
        while SEASON.get(first, 1) < rng.random():
            first += timedelta(1)
        days = [min(first, LAST_DAY)]
    if customer.habit == "one_time":
        return days
    for month in MONTHS:
        open_days = [day for day in month_days(month) if day > first]
        if open_days:
            weights = [SEASON[day] for day in open_days]
            expected = pace(customer, open_days[len(open_days) // 2]) / 365 * sum(weights)
            count = poisson(rng, expected + customer.lift.get(month, 0))
            days += rng.choices(open_days, weights=weights, k=count)
    return days


def month_days(month: date) -> list[date]:
    """The days of a month up to the last day of all."""
    first = (month - FIRST_DAY).days
    return [day for day in DAYS[first : first + 31] if day.month == month.month]
