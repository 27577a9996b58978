"""What is known beside customers and orders: rates, balances, attributes, interactions, tickets, answers, referrals."""

from __future__ import annotations

import math
from datetime import datetime, time, timedelta

from customer_tiering.sample.company import Company, Customer
from customer_tiering.sample.days import LAST_MOMENT, MONTHS
from customer_tiering.sample.values import at_business_hours, draw, later, poisson, spell


def make_exchange_rates(company: Company) -> None:
    """A dollar rate on the first of each month; none ever for the euro."""
    rng = company.stream("exchange rates")
    rate = 6.95
    for month in MONTHS:
        rate += rng.uniform(-0.06, 0.07)
        company.add("exchange_rates", month.isoformat(), "USD", f"{rate:.4f}")
        if rng.random() < 0.2:  # now and then one within the month
            day = (month + timedelta(14)).isoformat()
            company.add("exchange_rates", day, "USD", f"{rate + 0.02:.8f}")


def make_account_balances(company: Company) -> None:
    """Balances of stored-value cards at the ends of quarters, for some loyal customers."""
    rng = company.stream("account balances")
    for customer in company.customers:
        if customer.habit not in ("steady", "growing") or rng.random() > 0.3:
            continue
        balance = rng.lognormvariate(6 + 3 * customer.taste, 0.6)
        for month in MONTHS[3::3]:
            if month > customer.joined:
                balance *= rng.uniform(0.6, 1.5)
                whole = round(balance)
                amount = str(whole) if rng.random() < 0.99 else f"-{whole}.50"  # overdrawn
                day = (month - timedelta(1)).isoformat()
                company.add(
                    "account_balances", customer.customer_id, day, amount, customer.currency
                )


def make_customer_attributes(company: Company) -> None:
    """Interests, lifestyle and preferences of some customers."""
    rng = company.stream("customer attributes")
    values = {
        "interest": ["cooking", "outdoor", "reading", "茶艺", "sports", "travel"],
        "lifestyle": ["family", "single", "commuter", "健身"],
        "preferred_contact": ["email", "sms", "app", "none"],
    }
    for customer in company.customers:
        if customer.orders and rng.random() < 0.35:
            for attribute in rng.sample(list(values), rng.randint(1, 2)):
                moment = spell(customer.orders[0][0], "date")
                chosen = rng.choice(values[attribute])
                company.add("customer_attributes", customer.customer_id, attribute, chosen, moment)


def make_interactions(company: Company) -> None:
    """Visits, calls, messages and use of the app, around the orders; a few are fans."""
    rng = company.stream("interactions")
    kinds = {"app": "usage", "mini_program": "usage", "store": "visit", "field_sales": "visit"}
    for customer in company.customers:
        eagerness = min(4.0, 0.2 * math.exp(rng.gauss(0, 1.1)))
        for moment, order in customer.orders:
            for _ in range(poisson(rng, eagerness)):
                channel = order["channel"] if rng.random() < 0.8 else "phone"
                kind = kinds.get(channel, rng.choice(["call", "message"]))
                when = later(rng, moment, -12, 12)
                if when <= LAST_MOMENT:
                    key = company.number("interactions", "I")
                    seconds = "" if kind == "message" else str(60 * rng.randint(1, 60))
                    values = (key, customer.customer_id, spell(when), channel, kind, seconds)
                    company.add("interactions", *values)


def make_tickets(company: Company) -> None:
    """Questions after some orders, and complaints before customers fade or leave."""
    rng = company.stream("tickets")

    def ticket(customer: Customer, opened: datetime, kind: str, score: int) -> None:
        if opened > LAST_MOMENT:
            return
        closed = later(rng, opened, 0.05, 6)
        is_open = rng.random() < 0.05 or closed > LAST_MOMENT
        company.add(
            "tickets",
            company.number("tickets", "T"),
            customer.customer_id,
            spell(opened),
            "" if is_open else spell(closed),
            kind,
            rng.choice(["medium", "high"]) if kind == "complaint" else "low",
            "" if is_open or rng.random() < 0.4 else str(score),
        )

    for customer in company.customers:
        unhappy = customer.habit in ("fading", "lost")
        if unhappy and rng.random() < 0.55:
            turn = datetime.combine(customer.turn, time(8))
            for _ in range(rng.randint(1, 2)):
                ticket(customer, later(rng, turn, -90, 0), "complaint", rng.randint(1, 3))
        for moment, _ in customer.orders:
            if rng.random() < 0.035:
                kind = draw(rng, {"question": 65, "suggestion": 20, "complaint": 15})
                score = rng.randint(2, 4) if kind == "complaint" else rng.randint(3, 5)
                ticket(customer, later(rng, moment, 0, 10), kind, score)


def make_survey_responses(company: Company) -> None:
    """Would-you-recommend scores that follow loyalty, and satisfaction after some orders."""
    rng = company.stream("survey responses")
    typical = {"growing": 9.2, "steady": 8.6, "fading": 4.5, "lost": 4.0}
    for customer in company.customers:
        for moment, _ in customer.orders:
            for kind, chance, mean, low, high in (
                ("nps", 0.06, typical.get(customer.habit, 7.2), 0, 10),
                ("csat", 0.05, typical.get(customer.habit, 7.2) / 2, 1, 5),
            ):
                when = later(rng, moment, 1, 20)
                if rng.random() < chance and when <= LAST_MOMENT:
                    score = min(high, max(low, round(rng.gauss(mean, high / 8))))
                    key = company.number("survey_responses", "V")
                    values = (key, customer.customer_id, spell(when), kind, str(score))
                    company.add("survey_responses", *values)


def make_referrals(company: Company) -> None:
    """Loyal customers bring in new ones; some who were asked never answered."""
    rng = company.stream("referrals")
    loyal = [c for c in company.customers if c.habit in ("steady", "growing")]
    for row in company.tables["customers"]:
        if row["acquisition_channel"] != "referral":
            continue
        newcomer = next(c for c in company.customers if c.customer_id == row["customer_id"].strip())
        known = [c for c in loyal if c.orders and c.orders[0][0].date() < newcomer.joined]
        if not known:
            continue
        referred = at_business_hours(rng, newcomer.joined - timedelta(rng.randint(0, 9)))
        answered = rng.random() < 0.85
        company.add(
            "referrals",
            company.number("referrals", "F"),
            rng.choice(known).customer_id,
            newcomer.customer_id if answered else "",
            spell(referred),
            spell(newcomer.orders[0][0]) if answered and newcomer.orders else "",
        )
