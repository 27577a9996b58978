"""Balances: what a customer's accounts hold on a day, and on average over the days of a window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from oracle.accounts import Balance
from oracle.money import CENT
from oracle.rules import Rules


class DailyBalances:
    """What one customer's accounts hold, day by day; an account is one of an id before merges."""

    def __init__(self, balances: Iterable[Balance], rules: Rules) -> None:
        self.rules = rules
        self.by_account: dict[tuple[str, str, str], dict[date, Decimal]] = defaultdict(dict)
        for balance in balances:
            account = (balance.owner_id, balance.account_id, balance.currency_code)
            self.by_account[account][balance.balance_date] = balance.balance
        self.totals: dict[date, Decimal | None] = {}

    def total_on(self, day: date) -> Decimal | None:
        """What all accounts hold on a day; None when none of them has a balance that holds."""
        if day not in self.totals:
            held = [
                amounts[max(known)]
                for amounts in self.by_account.values()
                if (known := self._holding(amounts, day))
            ]
            self.totals[day] = sum(held) if held else None
        return self.totals[day]

    def _holding(self, amounts: dict[date, Decimal], day: date) -> list[date]:
        """The days of an account's balances that may still be those of a day."""
        oldest = day - timedelta(days=self.rules.balance_valid_days - 1)
        return [known for known in amounts if oldest <= known <= day]

    def average_until(self, day: date) -> Decimal | None:
        """The mean over the window's days, to cents, half away from zero; an unknown day counts as 0."""
        if not self.by_account:
            return None
        window = self.rules.rfm_window_days
        totals = [self.total_on(day - timedelta(days=before)) for before in range(window)]
        known = [total for total in totals if total is not None]
        return (sum(known) / window).quantize(CENT, ROUND_HALF_UP) if known else None


def high_net_worth(average: Decimal | None, rules: Rules) -> str | None:
    """The band of an average balance: the last that it reaches, the first when it reaches none."""
    if average is None:
        return None
    reached = [code for code, least in rules.high_net_worth_bands if average >= least]
    return reached[-1] if reached else rules.high_net_worth_bands[0][0]
