"""Campaigns on the page: what they really did, where enough customers say it.

Groups of a campaign are drawn by lot or named by its source, and follow from no tier and no other campaign: each campaign is a
family of figures of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from customer_tiering.queries import query

CAMPAIGNS_SHOWN = 12


@dataclass(frozen=True)
class Campaign:
    """A campaign; `treated` and `held_out` are None where they are few, the effect where there is none to be shown.

    `is_few`: it has an effect, and one of those who ordered or did not, treated or held out, are few. The effect and its
    interval are in percentage points. `revenue` is what the campaign brought, from and to; None without an interval.
    """

    name: str
    starts_on: date
    status: str
    treated: int | None
    held_out: int | None
    is_few: bool
    effect: Decimal | None
    low: Decimal | None
    high: Decimal | None
    revenue: tuple[Decimal, Decimal, Decimal] | None
    cost: Decimal | None

    @property
    def is_significant(self) -> bool:
        """Whether the interval of the effect leaves 0 out."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def read_campaigns(connection: duckdb.DuckDBPyConnection, smallest: int) -> list[Campaign]:
    """The newest campaigns, none of whose figures rests on 1 to `smallest` - 1 customers."""

    def shown(customers: int) -> int | None:
        return None if 0 < customers < smallest else customers

    campaigns = []
    for key, name, starts_on, status, treated, held_out, *rest in connection.execute(
        query("overview_campaigns"), {"campaigns": CAMPAIGNS_SHOWN}
    ).fetchall():
        treated_responses, held_out_responses, effect, low, high, *revenue, cost = rest
        groups = [treated, held_out]
        if status == "judged":
            groups += [treated_responses, treated - treated_responses]
            groups += [held_out_responses, held_out - held_out_responses]
        is_few = status == "judged" and None in map(shown, groups)
        if is_few:
            effect, low, high, revenue = None, None, None, []
        campaigns.append(
            Campaign(
                name or key,
                starts_on,
                status,
                shown(treated),
                shown(held_out),
                is_few,
                effect,
                low,
                high,
                None if None in revenue or not revenue else (revenue[0], revenue[1], revenue[2]),
                cost,
            )
        )
    return campaigns
