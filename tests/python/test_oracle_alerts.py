"""The oracle's alerts and actions against cases worked out by hand.

Every expected value below is derived in a comment or is plain from the rule that the test names;
none was taken from running the code.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute
from oracle.actions import customer_actions
from oracle.alerts import (
    EVIDENCE,
    AlertReview,
    Candidate,
    Contacts,
    CustomerAlert,
    Situation,
    customer_alerts,
    days_left,
    downgrade_ahead,
    figure,
    nearest,
    rounded_down,
    rounded_up,
    rule_of,
)
from oracle.marts import Customer
from oracle.money import ZERO
from oracle.periods import Period, calendar_period
from oracle.rfm import Measures
from oracle.rules import ComponentWeight, alert_rules_from, ladders_from, playbook_from
from oracle.tiers import CustomerPeriod, TierState

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
RUN_DATE = date(2030, 1, 1)
# At this period end the window and the halves of the last year start after 2024-01-01, the later
# half after 2024-07-02; the last 90 days start after 2024-10-02, the 90 before after 2024-07-04.
P = "2024-12-31"

Row = dict[str, str | None]
# Measure, value now, value before, detail.
Figures = tuple[Decimal | None, ...]


def rules(**project_vars: Any) -> Rules:
    """The shipped rules with some vars set."""
    return Rules.from_seeds(SEEDS, **project_vars)


def day(text: str) -> date:
    """A date from ISO text."""
    return date.fromisoformat(text)


def before(text: str, days: int) -> str:
    """The date some days before another."""
    return (day(text) - timedelta(days=days)).isoformat()


ALERT_COLUMNS = (
    "alert_code severity measure_from measure_below basis_from tier_rank_from action_code"
).split()


def alert_rules(*lines: str) -> Any:
    """Rules from rows of the seed; a dash is an empty cell."""
    return alert_rules_from(
        [
            {
                column: "" if cell == "-" else cell
                for column, cell in zip(ALERT_COLUMNS, line.split(), strict=True)
            }
            for line in lines
        ]
    )


def loose(given: Rules | None = None) -> Rules:
    """Rules by which every alert holds whatever its figures."""
    return replace(
        given or rules(),
        alert_rules=alert_rules(*(f"{code} low - - - - look" for code in EVIDENCE)),
    )


def orders(*made: str, customer: str = "A") -> list[Row]:
    """Raw orders, each a date with an amount (100 unless said otherwise)."""
    return [
        {
            "order_id": f"{customer}{number}",
            "customer_id": customer,
            "ordered_at": text.split()[0],
            "status": "completed",
            "order_amount": (text.split() + ["100"])[1],
        }
        for number, text in enumerate(made)
    ]


def refund(order_id: str, refunded_at: str, amount: str = "100") -> Row:
    """A raw refund of an order."""
    return {
        "refund_id": f"r{order_id}",
        "order_id": order_id,
        "refunded_at": refunded_at,
        "refund_amount": amount,
    }


def complaint(
    opened_at: str, closed_at: str | None = None, customer: str = "A", kind: str = "complaint"
) -> Row:
    """A raw ticket, never closed unless said otherwise."""
    return {
        "ticket_id": f"{customer}{opened_at}{closed_at}",
        "customer_id": customer,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "ticket_type": kind,
    }


def answer(
    responded_at: str,
    score: str,
    kind: str | None = "nps",
    key: str | None = None,
    customer: str = "A",
) -> Row:
    """A raw answer to a survey."""
    return {
        "response_id": key or f"{customer}{responded_at}",
        "customer_id": customer,
        "responded_at": responded_at,
        "survey_type": kind,
        "score": score,
    }


def run(as_of_date: str = P, given: Rules | None = None, **tables: list[Row]) -> Result:
    """Compute as of a date; A has an order of June 2024 unless said otherwise."""
    tables = {"orders": orders("2024-06-01")} | tables
    return compute(tables, replace(given or loose(), as_of_date=as_of_date), RUN_DATE)


def found(
    code: str,
    as_of_date: str = P,
    given: Rules | None = None,
    customer: str = "A",
    **tables: list[Row],
) -> Figures | None:
    """A customer's figures of an alert at the newest review, None when it does not hold."""
    result = run(as_of_date, given, **tables)
    alert = result.alert_reviews.get((customer, day(as_of_date), code))
    return alert and (alert.measure, alert.value_now, alert.value_before, alert.detail)


def figures(*values: str | int | None) -> Figures:
    """Figures from text, those left out unknown."""
    known = [None if value is None else Decimal(value) for value in values]
    return tuple(known + [None] * (4 - len(known)))


# -- Rounding and writing --------------------------------------------------------------------------


def test_rounding() -> None:
    """To two decimals; each way keeps what has two decimals."""
    assert nearest(Decimal("2.225")) == Decimal("2.23")
    assert nearest(Decimal("-2.225")) == Decimal("-2.23")
    assert nearest(Decimal("2.22499999999999")) == Decimal("2.22")
    assert nearest(None) is None
    assert rounded_up(Decimal("2.220000000001")) == Decimal("2.23")
    assert rounded_down(Decimal("2.229999999999")) == Decimal("2.22")
    assert rounded_down(Decimal("-0.004")) == Decimal("-0.01")
    assert rounded_up(Decimal("2.22")) == rounded_down(Decimal("2.22")) == Decimal("2.22")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(("35.00", "35"), ("0.00", "0"), ("100", "100"), ("1234567.00", "1234567")),
        *(("2.25", "2.25"), ("20.50", "20.50"), ("20.5", "20.50"), ("0.05", "0.05")),
        *(("-0.50", "-0.50"), ("-3.00", "-3")),
    ],
)
def test_whole_figures_have_no_decimals_others_two(value: str, text: str) -> None:
    assert figure(Decimal(value), "null") == text
    assert figure(None, "null") == "null"


# -- Rules -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "measure", "basis", "tier_rank", "severity"),
    [
        ("purchases_slowing", "1.49", 9, 5, None),
        ("purchases_slowing", "1.50", 4, 0, "medium"),
        ("purchases_slowing", "2.99", 4, 3, "medium"),
        ("purchases_slowing", "3.00", 4, 3, "high"),
        ("purchases_slowing", "3.00", 4, 2, "medium"),
        ("purchases_slowing", "5.99", 4, 3, "high"),
        ("purchases_slowing", "6.00", 4, 3, None),  # the upper limit is exclusive
        ("spend_drop", "49.99", 3, 5, None),
        ("spend_drop", "50", 3, 0, "medium"),
        ("spend_drop", "100", 2, 5, None),
        ("spend_drop", "70", 3, 3, "high"),
        ("spend_drop", "69.99", 3, 3, "medium"),
        ("spend_drop", "70", 3, 2, "medium"),
        ("spend_drop", "70", None, 3, None),  # a basis that is not known reaches none
        ("complaint_surge", "1", None, 5, None),
        ("complaint_surge", "2", None, 0, "medium"),
        ("complaint_surge", "3", None, 0, "high"),
        ("unanswered_complaint", "6", None, 5, None),
        ("unanswered_complaint", "7", None, 0, "medium"),
        ("unanswered_complaint", "30", None, 0, "high"),
        ("detractor_in_high_tier", "7", None, 5, None),
        ("detractor_in_high_tier", "6", None, 4, "high"),
        ("detractor_in_high_tier", "0", None, 3, "medium"),
        ("detractor_in_high_tier", "0", None, 2, None),
        ("downgrade_ahead", "45", None, 4, "high"),
        ("downgrade_ahead", "46", None, 4, "medium"),
        ("downgrade_ahead", "1", None, 3, "medium"),
        ("downgrade_ahead", "1", None, 2, "low"),
        ("downgrade_ahead", "1", None, 1, None),
        ("silent_high_value", "60", None, 3, None),
        ("silent_high_value", "59", None, 5, None),
        ("silent_high_value", "60", None, 4, "medium"),
        ("silent_high_value", "120", None, 4, "high"),
        ("unusually_good_period", "2.00", 3, 0, "low"),
        ("unusually_good_period", "1.99", 12, 5, None),
        ("unusually_good_period", "9", 2, 5, None),
        ("one_order_to_next_tier", "0", None, 1, "low"),
        ("one_order_to_next_tier", "-0.01", None, 1, None),
        ("one_order_to_next_tier", "9", None, 0, None),
    ],
)
def test_shipped_rules(
    code: str, measure: str, basis: int | None, tier_rank: int, severity: str | None
) -> None:
    candidate = Candidate(code, Decimal(measure), None, None, basis=basis)
    rule = rule_of(candidate, tier_rank, rules())
    assert (rule and rule.severity) == severity


def test_the_highest_severity_that_matches_gives_the_action() -> None:
    """Wherever it stands in the seed, and whatever the alphabet says."""
    candidate = Candidate("spend_drop", Decimal(50), None, None)

    def action(*lines: str) -> str | None:
        rule = rule_of(candidate, 1, replace(rules(), alert_rules=alert_rules(*lines)))
        return rule and rule.action_code

    low, medium, high = (
        f"spend_drop {severity} - - - - {severity}_action" for severity in ("low", "medium", "high")
    )
    assert action(low, medium, high) == action(high, low) == "high_action"
    assert action(low, medium) == action(medium, low) == "medium_action"
    assert action("spend_drop high 50.01 - - - a", low) == "low_action"
    assert action("spend_drop high - 50 - - a", low) == "low_action"
    assert action("spend_drop high - - - 2 a", low) == "low_action"
    assert action("spend_drop high - - 0 - a", low) == "low_action"
    assert action("complaint_surge high - - - - a") is None
    assert action() is None


# -- Purchases slowing -----------------------------------------------------------------------------


def bought_every(gaps: list[int], silent_days: int) -> list[Row]:
    """A's orders with some gaps, the newest last, and days from the last one to P."""
    ages = [silent_days + sum(gaps[number:]) for number in range(len(gaps) + 1)]
    return orders(*(before(P, age) for age in ages))


@pytest.mark.parametrize(
    ("gaps", "silent_days", "expected"),
    [
        ([10, 10, 10], 30, ("3", 30, 10)),
        ([10, 10, 10], 0, ("0", 0, 10)),
        ([6, 6, 6], 2, ("0.33", 2, 6)),
        ([6, 6, 6], 4, ("0.67", 4, 6)),
        ([8, 8, 8], 1, ("0.13", 1, 8)),  # 0.125
        ([20, 25, 20, 25], 30, ("1.33", 30, "22.5")),  # 60/45
        ([10, 10], 30, None),  # two gaps make no rhythm of one's own
    ],
)
def test_purchases_slowing(
    gaps: list[int], silent_days: int, expected: tuple[Any, ...] | None
) -> None:
    made = found("purchases_slowing", orders=bought_every(gaps, silent_days))
    assert made == (expected and figures(*expected))


def test_the_measure_counts_as_published() -> None:
    """299/200 is 1.495, published as 1.50; 298/200 is 1.49."""
    shipped = rules()
    gaps = [200, 200, 200]
    made = found("purchases_slowing", given=shipped, orders=bought_every(gaps, 299))
    assert made == figures("1.50", 299, 200)
    assert found("purchases_slowing", given=shipped, orders=bought_every(gaps, 298)) is None


def test_purchases_slowing_counts_order_days() -> None:
    """Four orders on three days are two gaps; five orders on four days have a basis of 4."""
    few = orders(*(before(P, age) for age in (50, 40, 30, 30)))
    many = orders(*(before(P, age) for age in (60, 50, 40, 30, 30)))
    assert found("purchases_slowing", orders=few) is None
    for basis, expected in ((4, figures("3", 30, 10)), (5, None)):
        given = replace(
            rules(), alert_rules=alert_rules(f"purchases_slowing low - - {basis} - look")
        )
        assert found("purchases_slowing", given=given, orders=many) == expected


# -- Spend drop ------------------------------------------------------------------------------------


def drop(*made: str, refunds: list[Row] | None = None, **project_vars: Any) -> Figures | None:
    given = loose(rules(**project_vars))
    return found("spend_drop", given=given, orders=orders(*made), refunds=refunds or [])


def test_spend_drop() -> None:
    """300 in the earlier half, 100 in the later: 2/3 less."""
    halves = ("2024-01-02 200", "2024-07-02 100", "2024-07-03 100")
    assert drop("2024-01-01 999", *halves) == figures("66.67", 100, 300)
    # The first order must be 365 days old.
    assert drop(*halves) is None
    # Not less, or more; nothing to fall from.
    assert drop("2024-01-01", "2024-01-02 100", "2024-07-03 100") is None
    assert drop("2024-01-01", "2024-01-02 100", "2024-07-03 100.01") is None
    assert drop("2024-01-01", "2024-07-03 100") is None
    # All of it is gone.
    assert drop("2024-01-01", "2024-01-02 100") == figures(100, 0, 100)
    # 1/8 of a per cent.
    assert drop("2024-01-01", "2024-01-02 800", "2024-12-31 799") == figures("0.13", 799, 800)


def test_spend_drop_as_known_then() -> None:
    """A refund counts from its day on, and an order undone is no first order."""
    made = ("2024-01-01", "2024-01-02 200", "2024-12-31 200")
    assert drop(*made, refunds=[refund("A2", "2024-12-31", "50")]) == figures(25, 150, 200)
    assert drop(*made, refunds=[refund("A2", "2025-01-01", "50")]) is None
    gone = [refund("A2", "2024-12-31", "200")]
    assert drop(*made, refunds=gone) == figures(100, 0, 200)
    assert drop(*made, refunds=[*gone, refund("A0", "2024-12-31")]) is None


def test_spend_drop_needs_orders_in_the_window() -> None:
    """A shorter window has none though the year has."""
    made = ("2024-01-01", "2024-06-01")
    assert drop(*made, rfm_window_days=213) is None
    assert drop(*made, rfm_window_days=214) == figures(100, 0, 100)  # 1 June is 213 days ago


def test_the_basis_of_spend_drop_is_the_frequency() -> None:
    """Of four orders three are in the window."""
    made = orders("2024-01-01", "2024-01-02", "2024-01-02", "2024-07-03")
    for basis, expected in ((3, figures(50, 100, 200)), (4, None)):
        given = replace(rules(), alert_rules=alert_rules(f"spend_drop low - - {basis} - look"))
        assert found("spend_drop", given=given, orders=made) == expected


# -- Complaints ------------------------------------------------------------------------------------


def surge(*opened: str, **more: Any) -> Figures | None:
    return found("complaint_surge", tickets=[complaint(text) for text in opened], **more)


def test_complaint_surge() -> None:
    assert surge("2024-10-03", P, "2024-10-02") == figures(1, 2, 1)
    assert surge("2024-10-03", "2025-01-01") == figures(1, 1, 0)
    assert surge("2024-10-03", "2024-07-04") == figures(1, 1, 0)
    assert surge("2024-10-03", "2024-07-05") is None  # as many before
    assert surge("2024-07-05") is None
    assert surge() is None


def test_complaint_surge_looks_at_complaints_answered_or_not() -> None:
    answered = complaint("2024-12-01", "2024-12-02")
    asked = complaint("2024-12-03", kind="question")
    assert found("complaint_surge", tickets=[answered, asked]) == figures(1, 1, 0)


def test_how_many_days_are_recent_is_a_var() -> None:
    """One day: P itself, and the day before it."""
    given = loose(rules(alert_recent_days=1))
    assert surge(P, given=given) == figures(1, 1, 0)
    assert surge(P, "2024-12-30", given=given) is None
    assert surge(P, "2024-12-29", given=given) == figures(1, 1, 0)
    assert surge("2024-12-30", given=given) is None


@pytest.mark.parametrize(
    ("tickets", "expected"),
    [
        ([complaint("2024-12-01")], (30, 1, 0)),
        # Open at the end of November, and since.
        ([complaint("2024-11-30"), complaint("2024-12-24")], (31, 2, 1)),
        # The oldest one has been answered, after November.
        ([complaint("2024-10-01", P), complaint("2024-12-24")], (7, 1, 1)),
        ([complaint("2024-10-01", "2024-11-30"), complaint("2024-12-24")], (7, 1, 0)),
        ([complaint("2024-12-01", P)], None),  # answered on the last day
        ([complaint("2024-12-01", "2025-01-01")], (30, 1, 0)),
        ([complaint(P)], (0, 1, 0)),
        ([complaint("2025-01-01")], None),
        ([complaint("2024-12-05", "2024-12-01")], None),  # closed when it was opened
        (
            [complaint("2015-01-01")],
            (3652, 1, 1),
        ),  # ten years of 365 days, three leap days, less one
        ([complaint("2024-12-01", kind="question")], None),
    ],
)
def test_unanswered_complaint(tickets: list[Row], expected: tuple[int, ...] | None) -> None:
    made = found("unanswered_complaint", tickets=tickets)
    assert made == (expected and figures(*expected))


@pytest.mark.parametrize(
    ("review_period", "as_of_date", "opened_at", "expected"),
    [
        # The first review of all is that of December: what was open on 30 November counts.
        ("month", P, "2024-11-30", (31, 1, 1)),
        ("month", P, "2024-12-01", (30, 1, 0)),
        # An open one: 18 December 2024 is a Wednesday, the week before ended on the 15th.
        ("month", "2024-12-18", "2024-12-01", (17, 1, 0)),
        ("month", "2024-12-18", "2024-11-30", (18, 1, 1)),
        ("week", "2024-12-18", "2024-12-15", (3, 1, 1)),
        ("week", "2024-12-18", "2024-12-16", (2, 1, 0)),
        ("quarter", "2024-12-18", "2024-09-30", (79, 1, 1)),
        ("quarter", "2024-12-18", "2024-10-01", (78, 1, 0)),
    ],
)
def test_open_complaints_at_the_end_of_the_period_before(
    review_period: str, as_of_date: str, opened_at: str, expected: tuple[int, ...]
) -> None:
    made = found(
        "unanswered_complaint",
        as_of_date,
        loose(rules(review_period=review_period)),
        orders=orders("2024-12-17"),
        tickets=[complaint(opened_at)],
    )
    assert made == figures(*expected)


def test_complaints_of_those_who_never_ordered() -> None:
    """At every review from the first order of anybody on; nothing else can be said of X."""
    result = run(
        customers=[{"customer_id": "X"}],
        orders=orders("2024-10-15"),
        tickets=[complaint("2024-11-10", customer="X")],
        survey_responses=[answer("2024-12-01", "0", customer="X")],
        interactions=[
            {"interaction_id": "1", "customer_id": "X", "occurred_at": "2024-12-01"},
        ],
    )
    assert {
        (str(end), code): (alert.measure, alert.value_now, alert.value_before)
        for (customer, end, code), alert in result.alert_reviews.items()
        if customer == "X"
    } == {
        ("2024-11-30", "complaint_surge"): (1, 1, 0),
        ("2024-11-30", "unanswered_complaint"): (20, 1, 0),
        (P, "complaint_surge"): (1, 1, 0),
        (P, "unanswered_complaint"): (51, 1, 1),
    }


def test_complaints_before_the_first_order() -> None:
    """B orders in December; the complaint is older than B's first row."""
    result = run(
        orders=[*orders("2024-10-15"), *orders("2024-12-15", customer="B")],
        tickets=[complaint("2024-10-20", customer="B")],
    )
    assert [
        (str(end), alert.measure)
        for (customer, end, code), alert in result.alert_reviews.items()
        if (customer, code) == ("B", "unanswered_complaint")
    ] == [("2024-10-31", 11), ("2024-11-30", 41), (P, 72)]


def test_complaints_without_a_tier_need_a_rule_without_one() -> None:
    given = replace(rules(), alert_rules=alert_rules("unanswered_complaint low - - - 1 look"))
    more = {"customers": [{"customer_id": "X"}], "tickets": [complaint(P, customer="X")]}
    assert found("unanswered_complaint", given=given, customer="X", **more) is None
    given = replace(rules(), alert_rules=alert_rules("unanswered_complaint low - - - 0 look"))
    assert found("unanswered_complaint", given=given, customer="X", **more) == figures(0, 1, 0)


def test_complaints_follow_merges() -> None:
    made = found(
        "unanswered_complaint",
        customer_merges=[
            {"from_customer_id": "A2", "into_customer_id": "A", "merged_at": "2024-12-30"}
        ],
        customers=[{"customer_id": "A2"}],
        tickets=[complaint("2024-12-01"), complaint("2024-11-01", customer="A2")],
    )
    assert made == figures(60, 2, 1)


# -- Detractors ------------------------------------------------------------------------------------


def detractor(*answers: Row, **more: Any) -> Figures | None:
    return found("detractor_in_high_tier", survey_responses=list(answers), **more)


def test_detractors() -> None:
    """The newest answer of the window, and the next newest of the same window."""
    assert detractor() is None
    assert detractor(answer("2024-05-01", "0")) == figures(0, 0, None)
    assert detractor(answer("2024-05-01", "0"), answer("2024-05-02", "10")) == figures(10, 10, 0)
    assert detractor(answer("2024-01-01", "9"), answer("2024-01-02", "3")) == figures(3, 3, None)
    assert detractor(answer("2024-01-01", "9")) is None
    assert detractor(answer("2024-05-01", "4"), answer("2025-01-01", "1")) == figures(4, 4, None)
    others = [answer("2024-06-01", "1", "csat"), answer("2024-06-02", "1", None)]
    assert detractor(answer("2024-05-01", "4"), *others) == figures(4, 4, None)


def test_answers_of_one_instant_go_by_their_id_in_byte_order() -> None:
    """É is after V9 in bytes, V9 after V10; the third answer plays no part."""
    made = [
        answer("2024-05-01T08:00+08:00", "4", key="V9"),
        answer("2024-05-01 00:00", "8", key="É"),
        answer("2024-05-01", "1", key="V10"),
    ]
    assert detractor(*made) == detractor(*made[::-1]) == figures(8, 8, 4)


def test_a_shorter_window_has_other_answers() -> None:
    given = loose(rules(rfm_window_days=30))
    made = [answer("2024-12-01", "2"), answer("2024-12-02", "6")]
    assert detractor(*made, given=given) == figures(6, 6, None)


def test_a_prospect_with_a_row_has_an_answer_too() -> None:
    """B's only order is undone: B has a row, but no tier."""
    made = {
        "orders": [*orders("2024-06-01"), *orders("2024-06-02", customer="B")],
        "refunds": [refund("B0", "2024-06-03")],
    }
    answers = answer("2024-07-01", "5", customer="B")
    assert detractor(answers, customer="B", **made) == figures(5, 5, None)


# -- Downgrade ahead: days left --------------------------------------------------------------------

ROLLING = {"tier_validity": "rolling"}
YEAR_END = {"tier_validity": "calendar_year"}
ANNIVERSARY = {"tier_validity": "anniversary"}


def period_to(end: str, review_period: str) -> Period:
    """The period that ends on a day, open when that is not its calendar end."""
    return replace(calendar_period(day(end), review_period), period_end=day(end))


def left(
    end: str,
    reviews_held: int,
    grace: int,
    since: str = "2024-01-31",
    rank: int = 3,
    **project_vars: Any,
) -> int:
    """Days left from a review on; ``reviews_held`` and ``grace`` are those after the newest closed one."""
    given = rules(**project_vars)
    state = TierState(tier_rank=rank, reviews_held=reviews_held, grace=grace, tier_since=day(since))
    return days_left(state, period_to(end, given.review_period), given)


@pytest.mark.parametrize(
    ("end", "reviews_held", "grace", "expected"),
    [
        # July, August and September are protected, October is grace, November takes the tier.
        ("2024-06-30", 0, 0, 31 + 31 + 30 + 31 + 30),
        ("2024-06-30", 1, 0, 31 + 31 + 30 + 31),
        ("2024-06-30", 3, 0, 31 + 31),
        ("2024-06-30", 9, 1, 31),
        # In an open period the next review is that of its own end.
        ("2024-07-10", 3, 1, 21),
        ("2024-07-10", 3, 0, 21 + 31),
        ("2024-07-10", 2, 0, 21 + 31 + 30),
        ("2024-07-30", 3, 1, 1),
        ("2024-02-28", 3, 1, 1),  # a leap year
    ],
)
def test_days_left_of_rolling_months(
    end: str, reviews_held: int, grace: int, expected: int
) -> None:
    assert left(end, reviews_held, grace) == expected
    assert left(end, reviews_held, grace, tier_downgrade="straight") == expected
    assert left(end, reviews_held, grace, rank=1) == expected  # it would be left


def test_days_left_by_hold_and_grace() -> None:
    assert left("2024-06-30", 0, 0, tier_min_hold_periods=0, tier_grace_periods=0) == 31
    assert left("2024-06-30", 0, 0, tier_min_hold_periods=1, tier_grace_periods=0) == 62
    assert left("2024-06-30", 0, 0, tier_min_hold_periods=0, tier_grace_periods=2) == 92
    assert left("2024-06-30", 0, 1, tier_min_hold_periods=0, tier_grace_periods=2) == 62


@pytest.mark.parametrize(
    ("review_period", "end", "reviews_held", "grace", "expected"),
    [
        ("week", "2024-06-30", 3, 1, 7),
        ("week", "2024-06-30", 0, 0, 5 * 7),
        ("week", "2024-07-03", 3, 1, 4),  # a Wednesday
        ("quarter", "2024-06-30", 3, 1, 92),
        ("quarter", "2024-06-30", 3, 0, 92 + 92),
        ("quarter", "2024-05-31", 3, 1, 30),
    ],
)
def test_days_left_of_rolling_weeks_and_quarters(
    review_period: str, end: str, reviews_held: int, grace: int, expected: int
) -> None:
    assert left(end, reviews_held, grace, review_period=review_period) == expected


@pytest.mark.parametrize(
    ("review_period", "end", "reviews_held", "grace", "expected"),
    [
        # From 30 June it is 184 days to the end of the year.
        ("month", "2024-06-30", 9, 1, 184),
        ("month", "2024-06-30", 9, 0, 184 + 365),
        # The hold runs on while no review may take the tier: three reviews before December's.
        ("month", "2024-08-31", 0, 1, 122),
        ("month", "2024-09-30", 0, 1, 92 + 365),  # December is protected
        ("month", "2024-10-31", 0, 0, 61 + 365 + 365),  # protected, grace, downgrade
        ("month", "2024-12-31", 9, 1, 365),
        ("month", "2024-12-30", 9, 1, 1),
        ("month", "2024-12-30", 2, 1, 1 + 365),
        ("quarter", "2024-06-30", 9, 1, 184),
        # The last Sundays of 2024 and 2025 are 29 and 28 December.
        ("week", "2024-12-22", 9, 1, 7),
        ("week", "2024-12-29", 9, 1, 364),
        ("week", "2024-12-30", 9, 1, 363),  # its week ends in January: not the last of a year
        ("week", "2024-12-24", 9, 1, 5),
    ],
)
def test_days_left_to_the_end_of_a_year(
    review_period: str, end: str, reviews_held: int, grace: int, expected: int
) -> None:
    assert left(end, reviews_held, grace, review_period=review_period, **YEAR_END) == expected


@pytest.mark.parametrize(
    ("review_period", "since", "end", "reviews_held", "grace", "expected"),
    [
        # From 30 June 2024 to 31 March 2025 it is 184 and 90 days.
        ("month", "2023-03-31", "2024-06-30", 9, 1, 274),
        ("month", "2023-03-31", "2024-06-30", 9, 0, 274 + 365),
        ("month", "2023-03-31", "2025-03-30", 9, 1, 1),
        ("month", "2023-03-31", "2025-03-31", 9, 1, 365),  # this year's review is over
        # Just entered: of the next year's review eleven others have gone by, it is grace.
        ("month", "2024-06-30", "2024-06-30", 0, 0, 365 + 365),
        # 29 February: the 28th, also in a leap year, whose review of February is on the 29th.
        ("month", "2024-02-29", "2024-06-30", 5, 1, 243),
        ("month", "2024-02-29", "2027-03-31", 9, 1, 335),
        ("month", "2024-02-29", "2028-02-10", 9, 1, 19),
        # 28 February 2005 is a Monday, that of 2008 a Thursday: the Sundays are 6 and 2 March.
        ("week", "2004-02-29", "2004-06-27", 9, 1, 252),
        ("week", "2004-02-29", "2005-03-03", 9, 1, 3),
        ("week", "2004-02-29", "2008-02-24", 9, 1, 7),
        # 27 February 2011 is a Sunday, the 28th a Monday.
        ("week", "2004-02-29", "2011-02-26", 9, 1, 8),
        ("quarter", "2024-03-31", "2024-09-30", 9, 1, 182),
    ],
)
def test_days_left_to_an_anniversary(
    review_period: str, since: str, end: str, reviews_held: int, grace: int, expected: int
) -> None:
    assert (
        left(end, reviews_held, grace, since, review_period=review_period, **ANNIVERSARY)
        == expected
    )


def test_days_left_when_the_hold_is_longer_than_a_year() -> None:
    """From Sunday 30 June 2024 to the Sundays on or after 30 June: 53 and 105 weeks.

    52 weeks of 60 are held before the first review on an anniversary, 104 before the second.
    """
    given = {"tier_min_hold_periods": 60, "tier_grace_periods": 0, "review_period": "week"}
    assert left("2024-06-30", 0, 0, "2024-06-30", **given, **ANNIVERSARY) == 105 * 7
    given["tier_min_hold_periods"] = 52
    assert left("2024-06-30", 0, 0, "2024-06-30", **given, **ANNIVERSARY) == 53 * 7


# -- Downgrade ahead: who, and its figures ---------------------------------------------------------


def ladder(**gold: str) -> Any:
    """Bronze from 0, silver from 40 (kept from 35), gold from 60 (kept from 55) or as said."""
    empty = {"enter_min_revenue": "", "keep_min_revenue": "", "version_valid_from": "2000-01-01"}
    names = "tier_code tier_rank enter_score keep_score enter_min_orders keep_min_orders".split()
    rows = [
        empty | dict(zip(names, line.split(), strict=True))
        for line in ("bronze 1 0 0 1 1", "silver 2 40 35 1 0", "gold 3 60 55 1 0")
    ]
    rows[-1] |= gold
    return ladders_from(rows)


def simple(*inputs: str, given: Rules | None = None, **gold: str) -> Rules:
    """Rules that can be followed by hand: one component of equal inputs, three tiers.

    Fixed edges: recency 30, 90, 180, 270; frequency 1, 2, 4, 8; monetary 100, 300, 1000, 3000.
    """
    weights = tuple((name, Decimal(1) / len(inputs)) for name in inputs)
    return replace(
        given or rules(),
        rfm_edges="fixed",
        profiles={"retail": (ComponentWeight("value", Decimal(1), weights),)},
        ladders=ladder(**gold),
    )


# 50 on 31 January and 400 on 10 February, taken back on 15 March: recency and monetary give
# 50 (silver), 75 (gold), then 37.5, 37.5, 25, 25, 12.5, 12.5 and so on to 0 from October on.
# July steps down to silver, September to bronze, January 2025 is lapsed and in grace, then it ends.
FALL = {
    "orders": orders("2024-01-31 50", "2024-02-10 400"),
    "refunds": [refund("A1", "2024-03-15", "400")],
}


def reviews_of(result: Result, code: str) -> dict[str, Figures]:
    """A's figures of an alert at all reviews."""
    return {
        str(end): (alert.measure, alert.value_now, alert.value_before, alert.detail)
        for (_, end, found_code), alert in result.alert_reviews.items()
        if found_code == code
    }


def test_a_fall_is_announced() -> None:
    """Gold misses 55, silver 35, bronze one order; the way down has grace once a tier."""
    result = run("2025-03-31", loose(simple("recency", "monetary")), **FALL)
    assert reviews_of(result, "downgrade_ahead") == {
        "2024-03-31": figures(122, "37.5", 75, "17.5"),
        "2024-04-30": figures(92, "37.5", "37.5", "17.5"),
        "2024-05-31": figures(61, 25, "37.5", 30),
        "2024-06-30": figures(31, 25, 25, 30),
        "2024-07-31": figures(61, "12.5", 25, "22.5"),  # silver now: grace in August
        "2024-08-31": figures(30, "12.5", "12.5", "22.5"),
        "2025-01-31": figures(
            28, 0, 0, 0
        ),  # bronze is kept from 0 points on, but not without orders
    }


def test_an_open_review_announces_from_the_newest_closed_one() -> None:
    """On 15 May: two reviews held, so May is protected, June grace; 105 days of silence."""
    result = run("2024-05-15", loose(simple("recency", "monetary")), **FALL)
    assert reviews_of(result, "downgrade_ahead")["2024-05-15"] == figures(77, 25, "37.5", 30)


def test_one_stretch_through_tiers_and_severities() -> None:
    """Medium in gold, low in silver, and no rule for bronze: the last of it counts."""
    given = replace(simple("recency", "monetary"), alert_rules=rules().alert_rules)
    result = run("2025-03-31", given, **FALL)
    severities = [
        alert.severity
        for (_, _, code), alert in result.alert_reviews.items()
        if code == "downgrade_ahead"
    ]
    assert severities == ["medium"] * 4 + ["low"] * 2
    (alert,) = (
        alert for alert in result.customer_alerts.values() if alert.alert_code == "downgrade_ahead"
    )
    assert (alert.raised_on, alert.resolved_on) == (day("2024-03-31"), day("2024-09-30"))
    assert (alert.severity, alert.is_open) == ("low", False)
    assert (alert.value_now, alert.value_before) == (Decimal("12.5"), Decimal("12.5"))
    assert alert.recommended_action_code == "remind_of_downgrade"
    assert alert.evidence == (
        '{"days_left": 30, "points_missing": 22.50, '
        '"management_score": 12.50, "management_score_before": 12.50}'
    )


def gold_review(score: str | None, k: int = 2, score_before: str | None = None) -> Situation:
    """A gold customer with a score, who keeps rank k; without a row before unless its score is."""

    def row(end: str, score: str | None) -> CustomerPeriod:
        measures = Measures("active", 0, 1, ZERO, ZERO, day(P), day(P), 1, ZERO)
        state = TierState(3, 3, 1, day("2024-01-31"))
        period = calendar_period(day(end), "month")
        known = None if score is None else Decimal(score)
        return CustomerPeriod("A", period, measures, management_score=known, k=k, state=state)

    now, earlier = row(P, score), row("2024-11-30", score_before)
    return Situation(now.period, Contacts(), now, earlier if score_before else None)


@pytest.mark.parametrize(
    ("score", "k", "score_before", "expected"),
    [
        ("54.996", 2, None, (31, "55.00", None, "0.01")),
        ("54.99", 2, None, (31, "54.99", None, "0.01")),
        ("54.985", 2, "60.125", (31, "54.99", "60.13", "0.02")),
        ("54.9849", 2, "60.1249", (31, "54.98", "60.12", "0.02")),
        ("0", 0, "0.00", (31, 0, 0, 55)),
        ("55", 2, None, (31, 55, None, 0)),  # points enough: it wants orders or revenue
        ("99", 2, None, (31, 99, None, 0)),
        (None, 0, None, (31, None, None, None)),
        (None, 0, "70", (31, None, 70, None)),
        ("10", 3, None, None),
        ("10", 4, None, None),
    ],
)
def test_points_missing_are_rounded_up(
    score: str | None, k: int, score_before: str | None, expected: tuple[Any, ...] | None
) -> None:
    """Gold is kept from 55 points on; after hold and grace January takes it."""
    made = downgrade_ahead(gold_review(score, k, score_before), rules())
    got = made and (made.measure, made.value_now, made.value_before, made.detail)
    assert got == (expected and figures(*expected))


def test_no_tier_cannot_fall() -> None:
    """Undone orders leave at once."""
    made = {"orders": orders("2024-06-01"), "refunds": [refund("A0", "2024-07-01")]}
    result = run("2024-07-31", loose(simple("recency")), **made)
    assert reviews_of(result, "downgrade_ahead") == {}


# -- Silent customers of high value ----------------------------------------------------------------


def silent(*, as_of_date: str = P, bought: str = "2024-10-01", **tables: Any) -> Figures | None:
    return found("silent_high_value", as_of_date, orders=orders(bought), **tables)


def interaction(occurred_at: str, kind: str | None = None, customer: str = "A") -> Row:
    """A raw interaction, of no type unless said otherwise."""
    return {
        "interaction_id": f"{customer}{occurred_at}",
        "customer_id": customer,
        "occurred_at": occurred_at,
        "interaction_type": kind,
    }


def test_silent_days_end_with_any_sign_of_life() -> None:
    """Nobody has a rhythm, so 90 days are expected."""
    asked = complaint("2024-12-10", kind="question")
    assert silent() == figures(91, 91, 90)
    assert silent(interactions=[interaction("2024-12-01")]) == figures(30, 30, 90)
    assert silent(interactions=[interaction("2024-12-02", "usage")]) == figures(29, 29, 90)
    assert silent(tickets=[asked]) == figures(21, 21, 90)
    assert silent(survey_responses=[answer("2024-12-20", "1", None)]) == figures(11, 11, 90)
    everything = {
        "interactions": [interaction("2024-12-01"), interaction("2025-01-01")],
        "tickets": [asked],
        "survey_responses": [answer("2024-12-20", "1", "csat")],
    }
    assert silent(**everything) == figures(11, 11, 90)
    assert silent(interactions=[interaction(P)]) == figures(0, 0, 90)


def test_what_is_no_sign_of_life() -> None:
    """What came before the last order, what comes after P, an answer to a ticket."""
    assert silent(interactions=[interaction("2020-01-01")]) == figures(91, 91, 90)
    assert silent(interactions=[interaction("2025-01-01")]) == figures(91, 91, 90)
    closed = complaint("2024-11-01", "2024-12-30")
    assert silent(tickets=[closed]) == figures(60, 60, 90)


def test_the_lapsed_are_silent_prospects_are_not() -> None:
    """Contacts count however old: 731 days before P is the end of 2022."""
    assert silent(bought="2020-01-01", interactions=[interaction("2022-12-31")]) == figures(
        731, 731, 90
    )
    undone = {"refunds": [refund("A0", "2024-10-02")], "interactions": [interaction("2024-12-01")]}
    assert silent(**undone) is None


def test_signs_of_life_follow_merges() -> None:
    merges = [{"from_customer_id": "A2", "into_customer_id": "A", "merged_at": "2024-12-30"}]
    made = silent(
        customer_merges=merges,
        customers=[{"customer_id": "A2"}],
        interactions=[interaction("2024-12-01", customer="A2")],
    )
    assert made == figures(30, 30, 90)


# -- Unusually good periods ------------------------------------------------------------------------


def good(
    *made: str, as_of_date: str = P, refunds: list[Row] | None = None, **project_vars: Any
) -> Figures | None:
    return found(
        "unusually_good_period",
        as_of_date,
        loose(rules(**project_vars)),
        orders=orders(*made),
        refunds=refunds or [],
    )


def test_an_unusually_good_month() -> None:
    """The twelve months before December 2024 begin with December 2023; those without count not."""
    assert good("2023-11-30 1000", "2023-12-01 100", "2024-06-15 150", f"{P} 500") == figures(
        4, 500, 125
    )
    # Every figure is rounded, the ratio is that of the rounded: 0.05 to 0.02, not to 0.015.
    assert good("2024-06-15 0.01", "2024-07-15 0.02", f"{P} 0.05") == figures("2.5", "0.05", "0.02")
    # 300.01/3 is 100.00; 200.50 to that is 2.005.
    usual = ("2024-06-15", "2024-07-15", "2024-08-15 100.01")
    assert good(*usual, f"{P} 200.50") == figures("2.01", "200.5", 100)


def test_a_month_without_revenue_or_without_others_is_not_good() -> None:
    assert good(f"{P} 500") is None  # the first row of all
    assert good("2023-11-30 100", f"{P} 500") is None  # too long ago
    assert good("2024-06-15 100") is None
    assert good("2024-06-15 0", f"{P} 500") is None
    assert good("2024-06-15 100", f"{P} 500", refunds=[refund("A1", P, "500")]) is None


def test_the_basis_of_a_good_period_is_the_number_of_periods_with_revenue() -> None:
    made = orders("2023-12-01", "2024-06-01", "2024-06-02", P)
    for basis, expected in ((2, figures("0.67", 100, 150)), (3, None)):
        given = replace(
            rules(), alert_rules=alert_rules(f"unusually_good_period low - - {basis} - look")
        )
        assert found("unusually_good_period", given=given, orders=made) == expected


def test_earlier_periods_are_as_they_were_then() -> None:
    """June's 150 came back in August: June's row still has them."""
    made = ("2024-05-15 100", "2024-06-15 150", f"{P} 500")
    gone = [refund("A1", "2024-08-01", "150")]
    assert good(*made, refunds=gone) == figures(4, 500, 125)
    # Taken back in June itself, they never were.
    assert good(*made, refunds=[refund("A1", "2024-06-30", "150")]) == figures(5, 500, 100)


def test_a_year_of_weeks_and_of_quarters() -> None:
    """52 weeks before that to Sunday 29 December 2024 is that to 31 December 2023."""
    week = {"as_of_date": "2024-12-29", "review_period": "week"}
    now = "2024-12-28 300"
    assert good("2023-12-31 100", now, **week) == figures(3, 300, 100)
    assert good("2023-12-24 100", now, **week) is None
    # Four quarters before the last of 2024 is the last of 2023; the newest one may be open.
    quarter = {"as_of_date": "2024-12-29", "review_period": "quarter"}
    assert good("2023-10-01 100", now, **quarter) == figures(3, 300, 100)
    assert good("2023-09-30 100", now, **quarter) is None


# -- One order to the next tier --------------------------------------------------------------------

LAST_OF_JUNE = "2024-06-30"


def one_more(
    given: Rules, *made: str, as_of_date: str = LAST_OF_JUNE, **more: Any
) -> Figures | None:
    return found("one_order_to_next_tier", as_of_date, given, orders=orders(*made), **more)


def test_one_order_to_gold() -> None:
    """29 days: 100; one order: 0; 50 is silver. A second order has 25: 62.5, and gold asks 60."""
    given = loose(simple("recency", "frequency"))
    assert one_more(given, "2024-06-01") == figures("2.5", 50, None, 10)
    # A month later 60 days give 75, 37.5 in all; an order today gives both 12.5 and 12.5.
    july = one_more(given, "2024-06-01", as_of_date="2024-07-31")
    assert july == figures("2.5", "37.5", 50, "22.5")
    # Halfway it is the open period's row: 44 days on 15 July.
    assert one_more(given, "2024-06-01", as_of_date="2024-07-15") == july


def test_one_order_to_silver_with_rounding() -> None:
    """Weights .333334, .333333, .333333. One order today: 33.3334, which is bronze.

    A second gives .333333 x (25 + 50): 58.333375, 18.333375 above 40; 6.6666 are missing now.
    """
    given = loose(simple("recency", "frequency", "repeat_rate"))
    assert one_more(given, LAST_OF_JUNE) == figures("18.33", "33.33", None, "6.67")
    # Two orders have 58.333375, silver. A third: .333333 x (25 + 66.67 - 50), 72.22336111.
    made = (LAST_OF_JUNE, LAST_OF_JUNE)
    assert one_more(given, *made) == figures("12.22", "58.33", None, "1.67")


@pytest.mark.parametrize(
    ("gold", "spare", "missing", "holds"),
    [
        ("62.5", "0", "12.5", True),
        ("62.496", "0", "12.5", True),
        ("62.504", "-0.01", "12.51", False),  # rounded to the nearest it were 0.00
        ("62.51", "-0.01", "12.51", False),
        ("50.001", "12.49", "0.01", True),
    ],
)
def test_points_to_spare_are_rounded_down(gold: str, spare: str, missing: str, holds: bool) -> None:
    """50 points now, 62.5 with one more order; the shipped rule asks for 0."""
    given = simple("recency", "frequency", enter_score=gold)
    expected = figures(spare, 50, None, missing) if holds else None
    assert one_more(loose(given), "2024-06-01") == one_more(given, "2024-06-01") == expected


def test_frequency_has_its_limits() -> None:
    """Of frequency alone: 2 orders 25, 3 and 4 50, 5 to 8 75, 9 and more 100."""
    given = loose(simple("frequency"))

    def spare(count: int) -> Figures | None:
        return one_more(given, *[LAST_OF_JUNE] * count)

    assert spare(1) is None  # 25 of silver's 40
    assert spare(2) == figures(10, 25, None, 15)
    assert spare(3) is None  # 50 still, of gold's 60
    assert spare(4) == figures(15, 50, None, 10)
    assert spare(5) is None  # gold is the highest


def test_orders_and_revenue_that_the_next_tier_asks_for() -> None:
    def made(**gold: str) -> Figures | None:
        return one_more(loose(simple("recency", "frequency", **gold)), "2024-06-01 100")

    expected = figures("2.5", 50, None, 10)
    assert made(enter_min_orders="2") == expected
    assert made(enter_min_orders="3") is None
    assert made(enter_min_orders="") == expected
    assert made(enter_min_revenue="100") == expected
    assert made(enter_min_revenue="100.01") is None


def test_points_may_be_there_already() -> None:
    """50 points are enough for gold at 45, but it takes two orders: 62.5 with the second."""
    given = loose(simple("recency", "frequency", enter_score="45", enter_min_orders="2"))
    assert one_more(given, "2024-06-01") == figures("17.5", 50, None, 0)


def test_neither_the_lapsed_nor_prospects_are_one_order_away() -> None:
    given = loose(simple("recency", "frequency"))
    assert one_more(given, "2023-06-01", as_of_date="2024-06-30") is None
    assert one_more(given, "2024-06-01", refunds=[refund("A0", "2024-06-02")]) is None


def test_inputs_that_do_not_count_gain_nothing() -> None:
    """Monetary alone: 300 has 25 points, bronze; one more order of whatever amount adds none."""
    assert one_more(loose(simple("monetary")), "2024-06-01 300") is None


# -- Stretches and evidence ------------------------------------------------------------------------


def test_a_stretch_breaks_and_returns() -> None:
    """Complaints of January to February (answered in March), then of May; June is open."""
    result = run(
        "2024-06-10",
        orders=orders("2024-01-05"),
        tickets=[complaint("2024-01-10", "2024-03-05"), complaint("2024-05-20")],
    )
    stretches = [
        (alert.raised_on, alert.resolved_on, alert.is_open, alert.value_now, alert.evidence)
        for alert in result.customer_alerts.values()
        if alert.alert_code == "unanswered_complaint"
    ]
    assert stretches == [
        (
            *(day("2024-01-31"), day("2024-03-31"), False, 1),
            '{"days_open": 50, "open_complaints": 1, "open_complaints_before": 1}',
        ),
        (
            *(day("2024-05-31"), None, True, 1),
            '{"days_open": 21, "open_complaints": 1, "open_complaints_before": 1}',
        ),
    ]


def test_an_open_review_ends_a_stretch_and_begins_one() -> None:
    """Answered on 5 June: resolved as of 10 June. B's complaint is of June."""
    result = run(
        "2024-06-10",
        orders=orders("2024-05-05"),
        customers=[{"customer_id": "B"}],
        tickets=[complaint("2024-05-10", "2024-06-05"), complaint("2024-06-08", customer="B")],
    )
    assert {
        alert.customer_id: (alert.raised_on, alert.resolved_on)
        for alert in result.customer_alerts.values()
        if alert.alert_code == "unanswered_complaint"
    } == {"A": (day("2024-05-31"), day("2024-06-10")), "B": (day("2024-06-10"), None)}


def alert_at(code: str, end: str, severity: str = "low", customer: str = "A") -> AlertReview:
    """An alert of a review, whose action names its severity."""
    return AlertReview(customer, day(end), code, severity, f"do_{severity}", *figures(1, 2, 3))


def test_stretches_are_of_one_customer_and_alert() -> None:
    ends = ("2024-01-31", "2024-02-29", "2024-03-31")
    made = [
        alert_at("spend_drop", ends[0], "high"),
        alert_at("spend_drop", ends[1], "medium"),
        alert_at("spend_drop", ends[2], "low"),
        alert_at("complaint_surge", ends[1]),
        alert_at("spend_drop", ends[1], customer="B"),
        alert_at("complaint_surge", ends[0], customer="B"),
        alert_at("complaint_surge", ends[2], customer="B"),
    ]
    stretches = customer_alerts(made, [calendar_period(day(end), "month") for end in ends])
    assert sorted(
        (s.customer_id, s.alert_code, str(s.raised_on), str(s.resolved_on), s.severity)
        for s in stretches
    ) == [
        ("A", "complaint_surge", ends[1], ends[2], "low"),
        ("A", "spend_drop", ends[0], "None", "low"),
        ("B", "complaint_surge", ends[0], ends[1], "low"),
        ("B", "complaint_surge", ends[2], "None", "low"),
        ("B", "spend_drop", ends[1], ends[2], "low"),
    ]
    assert {s.recommended_action_code for s in stretches} == {"do_low"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "purchases_slowing",
            '{"gap_ratio": 1.50, "days_since_last_order": 20, "expected_gap_days": null}',
        ),
        (
            "spend_drop",
            '{"fall_percent": 1.50, "revenue_last_half_year": 20.00, "revenue_half_year_before": null}',
        ),
        (
            "complaint_surge",
            '{"more_complaints": 1.50, "recent_complaints": 20, "complaints_before": null}',
        ),
        (
            "unanswered_complaint",
            '{"days_open": 2, "open_complaints": 20, "open_complaints_before": null}',
        ),
        ("detractor_in_high_tier", '{"nps_answer": 20, "nps_answer_before": null}'),
        (
            "downgrade_ahead",
            '{"days_left": 2, "points_missing": 0.07, "management_score": 20.00, '
            '"management_score_before": null}',
        ),
        ("silent_high_value", '{"silent_days": 20, "expected_gap_days": null}'),
        (
            "unusually_good_period",
            '{"ratio": 1.50, "period_revenue": 20.00, "usual_revenue": null}',
        ),
        (
            "one_order_to_next_tier",
            '{"points_to_spare": 1.50, "points_missing": 0.07, "management_score": 20.00, '
            '"management_score_before": null}',
        ),
    ],
)
def test_evidence(code: str, expected: str) -> None:
    last = AlertReview(
        *("A", day(P), code, "low", "look"),
        *(Decimal("1.50"), Decimal("20.00"), None, Decimal("0.07")),
    )
    assert CustomerAlert(last, day(P), None).evidence == expected


# -- Actions ---------------------------------------------------------------------------------------

PLAYS = (
    "priority action_code stance is_marketing tier_rank_from tier_rank_to segment_code "
    "lifecycle_stage alert_code"
).split()


def plays(*lines: str, because: str = "Why.") -> Any:
    """A playbook from rows of the seed; a dash is an empty cell, and so are those left out."""
    rows = []
    for line in lines:
        cells = line.split()
        cells += ["-"] * (len(PLAYS) - len(cells))
        row = {c: "" if cell == "-" else cell for c, cell in zip(PLAYS, cells, strict=True)}
        more = {"owner_department": "sales", "channel": "phone", "offer": "", "because_en": because}
        rows.append(row | more)
    return playbook_from(rows)


def customer(
    consent: bool | None = True,
    tier_rank: int = 2,
    segment_code: str = "loyal",
    lifecycle_stage: str = "active",
) -> Customer:
    """A customer A, of whom only this matters."""
    unknown = dict.fromkeys(Customer.__dataclass_fields__)
    return Customer(
        **unknown
        | {
            "customer_id": "A",
            "reviewed_customer_id": "A",
            "attributes": {"marketing_consent": consent},
            "tier_rank": tier_rank,
            "segment_code": segment_code,
            "lifecycle_stage": lifecycle_stage,
        }
    )


def actions(
    *lines: str,
    of: Customer | None = None,
    alerts: Mapping[str, str | None] | None = None,
    most: int = 3,
) -> list[str]:
    """The actions for a customer; ``alerts`` gives the day on which each alert was resolved."""
    made = [
        CustomerAlert(alert_at(code, P), day(P), resolved_on and day(resolved_on))
        for code, resolved_on in (alerts or {}).items()
    ]
    given = replace(rules(max_open_actions=most), playbook=plays(*lines))
    found = customer_actions([of or customer()], made, given)
    return [action.action_code for action in found]


def test_the_first_few_by_priority() -> None:
    """By number, not by text or place in the file."""
    lines = ("100 d neutral false", "9 a neutral false", "10 b neutral false", "11 c neutral false")
    assert actions(*lines) == ["a", "b", "c"]
    assert actions(*lines, most=1) == ["a"]
    assert actions(*lines, most=20) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        *(("2 -", True), ("3 -", False), ("- 2", True), ("- 1", False), ("2 2", True)),
        *(("- - loyal", True), ("- - champions", False)),
        *(("- - - active", True), ("- - - new", False)),
        *(("- - - - spend_drop", True), ("- - - - complaint_surge", False)),
        *(("1 3 loyal active spend_drop", True), ("1 3 loyal new spend_drop", False)),
        ("- - - - downgrade_ahead", False),  # raised once, resolved since
    ],
)
def test_all_given_conditions_must_hold(conditions: str, expected: bool) -> None:
    alerts = {"spend_drop": None, "downgrade_ahead": "2025-01-31"}
    assert bool(actions(f"1 a neutral false {conditions}", alerts=alerts)) is expected


@pytest.mark.parametrize("consent", [False, None])
def test_marketing_wants_consent(consent: bool | None) -> None:
    lines = ("1 a neutral true", "2 b neutral false", "3 b neutral true", "4 none neutral false")
    assert actions(*lines) == ["a", "b"]
    assert actions(*lines, of=customer(consent)) == ["b"]
    assert actions("1 a neutral true", "4 none neutral false", of=customer(consent)) == ["none"]
    # The marketing row of an action does not stand in the way of one that is none.
    assert actions("1 b neutral true", "2 b neutral false", of=customer(consent)) == ["b"]


def test_an_action_is_due_once() -> None:
    """Its smallest priority counts, before the stance and the number are looked at."""
    lines = ("1 a neutral false", "2 b neutral false", "3 a neutral false", "4 c neutral false")
    assert actions(*lines) == ["a", "b", "c"]
    # The row of 3 would rule; it is gone, and that of 4 rules.
    lines = ("1 a neutral false", "3 a protect false", "4 b expand false", "5 c protect false")
    assert actions(*lines) == ["a", "b"]


def test_the_first_stance_rules() -> None:
    lines = (
        *("1 a neutral false", "2 b protect false", "3 c expand false", "4 d neutral false"),
        *("5 e protect false", "6 f expand false"),
    )
    assert actions(*lines, most=20) == ["a", "b", "d", "e"]
    assert actions(*lines[2:], most=20) == ["c", "d", "f"]
    assert actions(lines[0], lines[3]) == ["a", "d"]
    # What must not be done takes no stance: b needs consent.
    lines = ("1 b protect true", "2 c expand false", "3 d protect false")
    assert actions(*lines, of=customer(False)) == ["c"]
    # What was dropped leaves its place to others.
    lines = ("1 a protect false", "2 b expand false", "3 c protect false", "4 d neutral false")
    assert actions(*lines, most=3) == ["a", "c", "d"]


def test_none_is_the_last_resort() -> None:
    """The first that matches, and only for whom there is nothing else, whatever its priority."""
    nothing = ("1 none neutral false 3 -", "2 none protect false", "3 none neutral false")
    assert actions(*nothing, "9 a expand false") == ["a"]
    assert actions(*nothing, "9 a expand false 3 -") == ["none"]
    assert actions() == []
    assert actions("1 none neutral false 3 -") == []
    given = replace(rules(), playbook=plays(*nothing))
    (action,) = customer_actions([customer()], [], given)
    assert action.priority == 2


def reason(text: str, alert_code: str = "spend_drop", measure: str = "61.64") -> str | None:
    """The reason of an action for an alert with that measure, 20 now, NULL before, 0.50 detail."""
    last = AlertReview(
        *("A", day(P), "spend_drop", "low", "look"),
        *(Decimal(measure), Decimal("20.00"), None, Decimal("0.50")),
    )
    playbook = plays(f"1 a neutral false - - - - {alert_code}", because=text)
    given = replace(rules(), playbook=playbook)
    (action,) = customer_actions([customer()], [CustomerAlert(last, day(P), None)], given)
    return action.because


def test_reasons_tell_the_figures() -> None:
    assert reason("{measure} % less: {now}, {before} before.") == "61.64 % less: 20.00, - before."
    assert reason("{detail}, {detail} and {now}", measure="3") == "0.50, 0.50 and 20.00"
    assert reason("In {measure} days.", measure="30.00") == "In 30 days."
    assert reason("Plain {text}.", alert_code="-") == "Plain {text}."


def test_reasons_tell_the_figures_of_the_alert_of_their_row() -> None:
    """Two open alerts, and a row for each."""
    alerts = [
        CustomerAlert(
            AlertReview("A", day(P), code, "low", "look", *figures(measure, 0)), day(P), None
        )
        for code, measure in (("spend_drop", 50), ("complaint_surge", 2))
    ]
    lines = [
        f"{number} a{number} neutral false - - - - {code}"
        for number, code in enumerate(("complaint_surge", "spend_drop"))
    ]
    given = replace(rules(), playbook=plays(*lines, because="{measure}"))
    found = customer_actions([customer()], alerts, given)
    assert [action.because for action in found] == ["2", "50"]


def test_who_may_be_contacted() -> None:
    given = replace(rules(), playbook=plays("1 a neutral false"))
    for consent, expected in ((True, True), (False, False), (None, False)):
        (action,) = customer_actions([customer(consent)], [], given)
        assert action.is_contactable is expected
        assert (action.owner_department, action.channel, action.offer) == ("sales", "phone", None)
    (action,) = customer_actions([replace(customer(), attributes=None)], [], given)
    assert action.is_contactable is False


def shipped_actions(result: Result) -> dict[str, list[tuple[Any, ...]]]:
    """Every customer's actions with their reasons and whether the customer may be contacted."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for action in result.customer_actions.values():
        found.setdefault(action.customer_id, []).append(
            (action.action_code, action.offer, action.because, action.is_contactable)
        )
    return found


def test_the_shipped_playbook() -> None:
    """A has just bought for the first time, B, C and X never did; X complains, M is A."""
    result = run(
        "2024-12-31",
        rules(),
        orders=orders(P),
        customers=[
            {"customer_id": "A", "marketing_consent": "yes"},
            {"customer_id": "B", "marketing_consent": "yes"},
            {"customer_id": "C", "marketing_consent": "no"},
            {"customer_id": "X"},
            {"customer_id": "M", "marketing_consent": "no"},
        ],
        customer_merges=[{"from_customer_id": "M", "into_customer_id": "A", "merged_at": P}],
        tickets=[complaint("2024-12-01", customer="X")],
    )
    nothing = "Nothing is due that the customer may be contacted for."
    made = shipped_actions(result)
    assert set(made) == {"A", "B", "C", "X"}
    assert ("welcome_new", "welcome_guide", "Has just made a first order.", True) in made["A"]
    assert made["B"] == [
        ("invite_first_order", "first_order_discount", "Has not ordered yet.", True)
    ]
    assert made["C"] == [("none", None, nothing, False)]
    waited = "A complaint has waited 30 days for an answer."
    assert made["X"] == [("answer_complaint", "service_recovery", waited, False)]


def test_actions_without_any_review() -> None:
    """Nobody ordered: no alert of a complaint, but customers are there."""
    result = compute(
        {
            "customers": [{"customer_id": "X", "marketing_consent": "true"}],
            "tickets": [complaint("2024-12-01", customer="X")],
        },
        rules(),
        RUN_DATE,
    )
    assert not result.alert_reviews
    assert not result.customer_alerts
    assert list(result.customer_actions) == [("X", "invite_first_order")]
