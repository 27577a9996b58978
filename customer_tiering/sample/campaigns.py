"""Campaigns, whom they contact, and what they bring."""

from __future__ import annotations

from datetime import date, timedelta

from customer_tiering.sample.company import Company
from customer_tiering.sample.habits import ONCE_AT_MOST
from customer_tiering.sample.values import money

# name, channel, start, days, goal, target tier, habits of the audience
CAMPAIGNS = [
    ("Spring welcome", "email", date(2023, 3, 6), 20, "acquisition", "", "prospect one_time"),
    ("618 会员日", "app", date(2023, 6, 1), 18, "upsell", "gold", "steady growing"),
    ("双11 预热", "app", date(2023, 10, 25), 17, "upsell", "", "steady growing seasonal"),
    ("We miss you", "email", date(2024, 3, 4), 21, "win_back", "", "lost fading won_back"),
    ("618 会员日", "mini_program", date(2024, 6, 1), 18, "upsell", "gold", "steady growing"),
    ("Referral bonus", "app", date(2024, 9, 2), 28, "referral", "silver", "steady growing"),
    ("双11 预热", "app", date(2024, 10, 25), 17, "upsell", "", "steady growing seasonal"),
    ("老客户回归", "sms", date(2025, 3, 3), 21, "win_back", "", "lost fading won_back"),
    ("Platinum preview", "phone", date(2025, 5, 12), 14, "retention", "platinum", "steady growing"),
    ("双11 预热", "app", date(2025, 10, 25), 17, "upsell", "", "steady growing seasonal"),
]
AUDIENCE_SHARE, HOLDOUT_SHARE = 0.35, 0.2
CAMPAIGN_LIFT = 0.3  # more orders of a treated repeat buyer in the campaign's month


def make_campaigns(company: Company) -> None:
    """Campaigns and whom they reached; treated repeat buyers will order a little more."""
    rng = company.stream("campaigns")
    for number, (name, channel, start, days, goal, tier, audience) in enumerate(CAMPAIGNS, 1):
        key = f"P{number:02d}"
        end = start + timedelta(days)
        cost = money(rng.randint(2000, 30000) * 100)
        company.add("campaigns", key, name, channel, str(start), str(end), goal, tier, cost)
        for customer in company.customers:
            fits = customer.habit in audience.split() and customer.joined < start
            if not fits or rng.random() > AUDIENCE_SHARE:
                continue
            group = "holdout" if rng.random() < HOLDOUT_SHARE else "treatment"
            day = start + timedelta(rng.randint(0, 3))
            company.add("campaign_contacts", key, customer.customer_id, str(day), group)
            if group == "treatment" and customer.habit not in ONCE_AT_MOST:
                customer.lift[(start + timedelta(7)).replace(day=1)] = CAMPAIGN_LIFT
