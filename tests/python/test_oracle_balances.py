"""Balances by the oracle, against cases worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute
from oracle.accounts import Balance
from oracle.daily_balances import DailyBalances, high_net_worth
from oracle.scores import weights_of

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
P = "2024-12-31"
Row = dict[str, str | None]


def rules(**project_vars: Any) -> Rules:
    return Rules.from_seeds(SEEDS, as_of_date=P, **project_vars)


def balance(day: str, amount: str, customer: str | None = "A", **more: str) -> Row:
    row = {"customer_id": customer, "balance_date": day, "balance_amount": amount}
    return row | more


def order(customer: str, day: str = "2024-06-01", amount: str = "100") -> Row:
    return {
        "order_id": f"o{customer}{day}",
        "customer_id": customer,
        "ordered_at": day,
        "status": "completed",
        "order_amount": amount,
    }


def run(given: Rules, *balances: Row, **tables: list[Row]) -> Result:
    raw = {"orders": [order("A")], "account_balances": list(balances)} | tables
    return compute(raw, given, date(2030, 1, 1))


def held(*balances: Row, given: Rules | None = None, **tables: list[Row]) -> tuple:
    """A's newest and average balance at P."""
    row = run(given or rules(), *balances, **tables).customer_periods["A", date(2024, 12, 31)]
    return row.newest_balance, row.average_balance


def own(*days: tuple[str, str]) -> list[Balance]:
    return [
        Balance("A", "A", "x", "CNY", date.fromisoformat(day), Decimal(amount))
        for day, amount in days
    ]


def test_a_balance_holds_until_the_next_one_and_no_longer_than_92_days() -> None:
    """20 January and 92 days is 21 April (2024 has a 29 February)."""
    balances = DailyBalances(own(("2024-01-20", "50.00"), ("2024-01-10", "100.00")), rules())

    def on(day: str) -> Decimal | None:
        return balances.total_on(date.fromisoformat(day))

    assert [on("2024-01-09"), on("2024-01-10"), on("2024-01-19")] == [None, 100, 100]
    assert [on("2024-01-20"), on("2024-04-20"), on("2024-04-21")] == [50, 50, None]


def test_the_average_counts_days_on_which_nothing_holds_as_zero() -> None:
    """50 on 10 of 30 days: 16.666..., and of 92 days before P three quarters of one in 4 days."""
    until = date(2024, 1, 29)
    balances = own(("2024-01-20", "50.00"))
    assert DailyBalances(balances, rules(rfm_window_days=30)).average_until(until) == Decimal(
        "16.67"
    )
    four = rules(rfm_window_days=4)
    cents = [("2024-01-29", "0.02"), ("2024-01-29", "-0.02"), ("2024-01-29", "0.01")]
    # 0.005, -0.005 and 0.0025
    assert [DailyBalances(own(cent), four).average_until(until) for cent in cents] == [
        Decimal("0.01"), Decimal("-0.01"), Decimal("0.00")
    ]  # fmt: skip
    assert DailyBalances(own(("2024-01-30", "9.00")), four).average_until(until) is None
    # Expired on the window's first day: 92 days from 26 October 2023 on end on 25 January 2024.
    assert DailyBalances(own(("2023-10-26", "9.00")), four).average_until(until) is None
    assert DailyBalances(own(("2023-10-27", "9.00")), four).average_until(until) == Decimal("2.25")


def test_the_window_and_the_validity_are_those_of_the_vars() -> None:
    """Held on 10 days of a window of 20, the last of them P."""
    ten = balance("2024-12-22", "100")
    assert held(ten, given=rules(rfm_window_days=20)) == (100, 50)
    assert held(ten, given=rules(rfm_window_days=20, balance_valid_days=10)) == (100, 50)
    assert held(ten, given=rules(rfm_window_days=20, balance_valid_days=9)) == (None, 45)
    assert held(ten, given=rules(rfm_window_days=365)) == (100, Decimal("2.74"))  # 1000/365


def test_accounts_currencies_and_ids_add_up() -> None:
    short = rules(rfm_window_days=1)
    dollars = {"exchange_rates": [
        {"rate_date": "2024-12-01", "currency_code": "USD", "rate_to_reporting": "7"},
        {"rate_date": "2024-12-31", "currency_code": "USD", "rate_to_reporting": "9"},
    ]}  # fmt: skip
    two = (balance("2024-12-01", "10", account_id="x"), balance("2024-12-02", "20", account_id="y"))
    assert held(*two, given=short) == (30, 30)
    # The same account in two currencies is two; a rate is that of the balance's date, at P too.
    foreign = (
        balance("2024-12-01", "10", account_id="x"),
        balance("2024-12-30", "20", account_id="x", currency_code="USD"),
    )
    assert held(*foreign, given=short, **dollars) == (150, 150)
    # No account and no currency named: one account, of which the newer balance holds.
    assert held(balance("2024-12-01", "10"), balance("2024-12-02", "-20", currency_code="CNY"),
                given=short) == (-20, -20)  # fmt: skip
    # Of two ids that were merged both have one.
    merged = {"customer_merges": [
        {"from_customer_id": "B", "into_customer_id": "A", "merged_at": "2024-12-31"}
    ]}  # fmt: skip
    of_two = (balance("2024-12-01", "10"), balance("2024-12-02", "-20", "B"))
    assert held(*of_two, given=short, **merged) == (-10, -10)
    assert held(*of_two, given=short, orders=[order("A"), order("B")]) == (10, 10)


def test_what_is_not_known_at_the_end_of_a_period_is_not_counted() -> None:
    """At the end of November only the balance of October, in December the later one."""
    result = run(
        rules(rfm_window_days=31), balance("2024-10-31", "31"), balance("2024-12-01", "62")
    )
    ends = [date(2024, 10, 31), date(2024, 11, 30), date(2024, 12, 31)]
    rows = [result.customer_periods["A", end] for end in ends]
    assert [row.newest_balance for row in rows] == [31, 31, 62]
    # 31 on one of 31 days; on all of them; 62 on all.
    assert [row.average_balance for row in rows] == [1, 31, 62]


def finance() -> Result:
    """A to F bought in the window, L before it, X never; of F none is known; B and C are equal."""
    amounts = {"A": "-5", "B": "0", "C": "0", "D": "1000", "E": "7000000", "L": "50", "X": "800000"}
    return run(
        rules(score_profile="finance"),
        *(balance("2024-12-01", amount, customer) for customer, amount in amounts.items()),
        customers=[{"customer_id": "X"}],
        orders=[*map(order, "ABCDEF"), order("L", "2023-01-31")],
    )


def test_a_balance_is_worth_its_rank_among_those_of_customers_with_orders() -> None:
    """p = 0, 1/4, 1/4, 3/4 and 1: 100 x (1 - sqrt(1 - p)) = 0, 13.397, 13.397, 50 and 100."""
    result = finance()
    rows = {c: result.customer_periods[c, date(2024, 12, 31)] for c in "ABCDEFL"}
    assert {c: row.values.get("balance") for c, row in rows.items()} == {
        "A": 0, "B": Decimal("13.40"), "C": Decimal("13.40"), "D": 50, "E": 100, "F": None, "L": 0
    }  # fmt: skip
    detail = result.score_details["D", "value", "balance"]
    assert (detail.input_value, detail.normalised_value, detail.coverage) == (1000, 50, 1)
    assert result.score_details["F", "value", "balance"].weight == 0
    # Inside value .4 of 1; where it is unknown .1, .1, .2, .2 of .6 are left.
    assert rows["D"].weights["balance"] == detail.weight > 0
    assert rows["D"].score_coverage - rows["F"].score_coverage == Decimal("0.24")  # .6 x .4


def test_the_weight_of_a_balance_goes_to_the_other_inputs_of_value() -> None:
    known = frozenset({"recency", "frequency", "monetary", "contribution", "balance"})
    given, none = rules(score_profile="finance"), (0, 0, 0, 0)
    assert weights_of(known, none, given).level_2["value"]["balance"] == Decimal("0.4")
    without = weights_of(known - {"balance"}, none, given).level_2["value"]
    assert without == {
        "recency": Decimal("0.166667"), "frequency": Decimal("0.166667"),
        "monetary": Decimal("0.333333"), "contribution": Decimal("0.333333"),
    }  # fmt: skip


def test_customers_without_orders_have_balances_and_a_band() -> None:
    """31 days of 366 before P (a window of 365) from 1 December on: 800,000 x 31/365 = 67,945.21."""
    customers = finance().customers
    x = customers["X"]
    assert (x.newest_balance, x.average_balance) == (800000, Decimal("67945.21"))
    assert x.segment_code == "prospect"
    bands = {c: customers[c].high_net_worth for c in "ADEFX"}
    # E: 7,000,000 x 31/365 = 594,520.55
    assert bands == {"A": "mass", "D": "mass", "E": "affluent", "F": None, "X": "mass"}


@pytest.mark.parametrize(
    ("average", "band"),
    [
        ("-3", "mass"),
        ("0", "mass"),
        ("499999.99", "mass"),
        ("500000", "affluent"),
        ("1000000", "high_net_worth"),
        ("6000000", "private_banking"),
        (None, None),
    ],
)
def test_a_band_begins_with_its_own_balance(average: str | None, band: str | None) -> None:
    assert high_net_worth(average and Decimal(average), rules()) == band


def test_a_lower_balance_is_the_reason_when_it_moved_most() -> None:
    """A's balance falls from the highest of ten to the lowest; nothing else of A moves but recency."""
    customers = "ABCDEFGHIJ"
    days = [date(2024, 1, 15) + timedelta(days=30 * n) for n in range(12)]
    orders = [order(c, day.isoformat()) for c in customers for day in days]
    balances = [balance("2024-09-20", f"{n}000", c) for n, c in enumerate(customers, 1)]
    balances[0] = balance("2024-09-20", "90000")
    balances.append(balance("2024-11-20", "1"))
    given = rules(score_profile="finance", tier_min_hold_periods=0, tier_grace_periods=0)
    result = run(given, *balances, orders=orders)
    rows = [result.customer_periods["A", end] for end in (date(2024, 10, 31), date(2024, 11, 30))]
    assert [row.values["balance"] for row in rows] == [100, 0]
    assert rows[1].change_type == "downgrade"
    assert rows[1].reason_code == "balance_down"
