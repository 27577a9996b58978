"""The oracle's lifecycle against cases worked out by hand.

Every expected value below is derived in a comment or is plain from the rule that the test names;
none was taken from running the code.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute
from oracle.lifecycle import Lifecycle, Rhythm, expected_gaps, lifecycles, median, rhythms, stage
from oracle.money import LedgerRow
from oracle.rules import lifecycle_from

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
RUN_DATE = date(2030, 1, 1)


def rules(**project_vars: Any) -> Rules:
    """The shipped rules with some vars set."""
    return Rules.from_seeds(SEEDS, **project_vars)


def day(text: str) -> date:
    """A date from ISO text."""
    return date.fromisoformat(text)


def fact(order_date: str, known_date: str | None = None, orders: int = 1) -> LedgerRow:
    """A row of A's ledger: orders of a date, or orders of it that were undone later."""
    return LedgerRow("A", day(order_date), day(known_date or order_date), orders)


def rhythms_at(ledger: list[LedgerRow], *period_ends: str) -> list[Rhythm]:
    """A's rhythm at each of some period ends."""
    return list(rhythms(ledger, [day(text) for text in period_ends]))


def rhythm(order_days: int, last_gap_days: int | None = None, median_gap: str = "0") -> Rhythm:
    """A rhythm; a median gap that is not given plays no part."""
    return Rhythm(order_days, last_gap_days, Decimal(median_gap) if order_days > 1 else None)


# -- Order days and gaps ---------------------------------------------------------------------------


def test_medians() -> None:
    assert median([]) is None
    assert median([7]) == 7
    assert median([60, 10, 20]) == 20
    assert median([60, 10, 25, 20]) == Decimal("22.5")
    # Of medians with a half: (10 + 20.5) / 2.
    assert median([Decimal("20.5"), Decimal(10)]) == Decimal("15.25")


def test_gaps_between_order_days() -> None:
    """Gaps are 10 and 20, from the end of February on 30 too (2024 has a leap day)."""
    made = [fact("2024-01-31"), fact("2024-01-01"), fact("2024-03-01"), fact("2024-01-11")]
    assert rhythms_at(
        made, "2023-12-31", "2024-01-01", "2024-01-11", "2024-01-31", "2024-02-29", "2024-03-01"
    ) == [
        Rhythm(0, None, None),
        Rhythm(1, None, None),
        Rhythm(2, 10, Decimal(10)),
        Rhythm(3, 20, Decimal(15)),
        Rhythm(3, 20, Decimal(15)),
        Rhythm(4, 30, Decimal(20)),
    ]


def test_orders_of_one_day_are_one_order_day_until_the_last_is_undone() -> None:
    made = [
        fact("2024-01-01"),
        fact("2024-01-11", orders=2),
        fact("2024-01-11", "2024-02-10", -1),
        fact("2024-01-11", "2024-03-10", -1),
    ]
    assert rhythms_at(made, "2024-01-31", "2024-02-29", "2024-03-31") == [
        Rhythm(2, 10, Decimal(10)),
        Rhythm(2, 10, Decimal(10)),
        Rhythm(1, None, None),
    ]


def test_an_undone_day_in_the_middle_merges_its_gaps_once_it_is_known() -> None:
    """10, 20 and 30 days become 30 and 30 on the very day on which it is known, not before."""
    made = [
        *(fact("2024-01-01"), fact("2024-01-11"), fact("2024-01-31"), fact("2024-03-01")),
        fact("2024-01-11", "2024-03-15", -1),
    ]
    assert rhythms_at(made, "2024-03-14", "2024-03-15", "2024-03-16") == [
        Rhythm(4, 30, Decimal(20)),
        Rhythm(3, 30, Decimal(30)),
        Rhythm(3, 30, Decimal(30)),
    ]


def test_undone_days_at_the_ends_take_their_gap_with_them() -> None:
    made = [
        *(fact("2024-01-01"), fact("2024-01-11"), fact("2024-01-31")),
        fact("2024-01-01", "2024-02-01", -1),
        fact("2024-01-31", "2024-02-02", -1),
    ]
    assert rhythms_at(made, "2024-01-31", "2024-02-01", "2024-02-02") == [
        Rhythm(3, 20, Decimal(15)),
        Rhythm(2, 20, Decimal(20)),
        Rhythm(1, None, None),
    ]


def test_a_day_undone_on_the_same_day_is_never_an_order_day() -> None:
    made = [fact("2024-01-01"), fact("2024-01-11", orders=0), fact("2024-01-31")]
    assert rhythms_at(made, "2024-01-31") == [Rhythm(2, 30, Decimal(30))]


# -- The expected gap ------------------------------------------------------------------------------

# Own rhythms in champions (10 and 20.5) and in lapsed (30); newcomers have too few gaps.
OWN = {"a": rhythm(4, 9, "10"), "b": rhythm(5, 9, "20.5"), "c": rhythm(9, 9, "30")}
SEGMENTS = {
    **{"a": "champions", "b": "champions", "c": "lapsed", "p": "prospect"},
    **{"few": "champions", "once": "lapsed", "other": "new_customers"},
}


def expected(rhythm_of: Mapping[str, Rhythm], **project_vars: Any) -> dict[str, Decimal | None]:
    """The expected gaps of customers in the segments above."""
    return expected_gaps(rhythm_of, SEGMENTS, rules(**project_vars))


def test_three_gaps_make_a_rhythm_of_ones_own() -> None:
    assert expected({"a": rhythm(4, 5, "7.5")}) == {"a": Decimal("7.5")}
    # One gap less, and nobody else: 90 days.
    assert expected({"a": rhythm(3, 5, "7.5")}) == {"a": 90}


def test_others_of_the_segment_then_everybody() -> None:
    """Champions: (10 + 20.5) / 2. Everybody: 20.5, the middle of 10, 20.5 and 30."""
    fewer = {"few": rhythm(3, 1, "1"), "once": rhythm(1), "other": rhythm(1), "p": rhythm(0)}
    assert expected(OWN | fewer) == {
        "a": 10,
        "b": Decimal("20.5"),
        "c": 30,
        "few": Decimal("15.25"),
        "once": 30,
        "other": Decimal("20.5"),
        "p": None,
    }


def test_everybody_is_a_median_of_customers_not_of_segments() -> None:
    """Of 10, 12, 14 (champions) and 30 (lapsed) it is 13; of the segments' 12 and 30 it were 21."""
    own = {"a": "10", "b": "12", "few": "14", "c": "30"}
    made = {customer: rhythm(4, 1, gap) for customer, gap in own.items()}
    assert expected(made | {"other": rhythm(1)})["other"] == 13


def test_the_default_holds_while_nobody_has_a_rhythm() -> None:
    made = {"few": rhythm(3, 1, "1"), "once": rhythm(1), "p": rhythm(0)}
    assert expected(made) == {"few": 90, "once": 90, "p": None}
    assert expected(made, lifecycle_default_gap_days=45) == {"few": 45, "once": 45, "p": None}


def test_how_many_gaps_are_enough_is_a_var() -> None:
    made = {"a": rhythm(2, 7, "7"), "once": rhythm(1)}
    assert expected(made, lifecycle_min_gaps=1) == {"a": 7, "once": 7}
    assert expected(OWN, lifecycle_min_gaps=4) == {
        "a": Decimal("20.5"),  # b alone has enough in champions; c has 8
        "b": Decimal("20.5"),
        "c": 30,
    }


# -- Stages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_days", "expected_gap", "recency_days", "expected_stage"),
    [
        # 1.5, 3 and 6 times 20 days are 30, 60 and 120.
        *((4, "20", 0, "active"), (4, "20", 29, "active"), (4, "20", 30, "at_risk")),
        *((4, "20", 59, "at_risk"), (4, "20", 60, "dormant")),
        *((4, "20", 119, "dormant"), (4, "20", 120, "lost"), (4, "20", 9999, "lost")),
        # Of 22.5 days they are 33.75, 67.5 and 135; of 15.25 days 22.875, 45.75 and 91.5.
        *((4, "22.5", 33, "active"), (4, "22.5", 34, "at_risk")),
        *((4, "22.5", 67, "at_risk"), (4, "22.5", 68, "dormant")),
        *((4, "22.5", 134, "dormant"), (4, "22.5", 135, "lost")),
        *((1, "15.25", 22, "new"), (1, "15.25", 23, "at_risk")),
        *((1, "15.25", 45, "at_risk"), (1, "15.25", 46, "dormant")),
        *((1, "15.25", 91, "dormant"), (1, "15.25", 92, "lost")),
        *((1, "20", 29, "new"), (2, "20", 29, "developing"), (3, "20", 29, "developing")),
        *((2, "20", 30, "at_risk"), (3, "20", 60, "dormant"), (1, "20", 120, "lost")),
    ],
)
def test_silence_counts_from_exactly_the_ratio_on(
    order_days: int, expected_gap: str, recency_days: int, expected_stage: str
) -> None:
    made = rhythm(order_days, 1 if order_days > 1 else None)
    assert stage(made, recency_days, Decimal(expected_gap), rules()) == expected_stage


@pytest.mark.parametrize(
    ("order_days", "expected_gap", "last_gap_days", "recency_days", "expected_stage"),
    [
        # 3 times 20 days are 60, of 22.5 days 67.5.
        *((5, "20", 59, 0, "active"), (5, "20", 60, 0, "won_back"), (5, "20", 61, 29, "won_back")),
        *((5, "22.5", 67, 0, "active"), (5, "22.5", 68, 0, "won_back")),
        *((2, "20", 59, 0, "developing"), (2, "20", 60, 0, "won_back"), (3, "20", 60, 0, "won_back")),
        # Silent once more: what is at risk, dormant or lost comes first.
        *((5, "20", 60, 30, "at_risk"), (5, "20", 60, 60, "dormant"), (2, "20", 60, 120, "lost")),
    ],
)  # fmt: skip
def test_who_comes_back_after_a_long_gap_is_won_back(
    order_days: int, expected_gap: str, last_gap_days: int, recency_days: int, expected_stage: str
) -> None:
    made = rhythm(order_days, last_gap_days)
    assert stage(made, recency_days, Decimal(expected_gap), rules()) == expected_stage


def test_without_order_days_it_is_a_prospect() -> None:
    assert stage(rhythm(0), None, None, rules()) == "prospect"


def test_everybody_in_a_period() -> None:
    """Once: 30 days of the segment lapsed, 45 of them silent is exactly 1.5 times."""
    found = lifecycles(
        OWN | {"once": rhythm(1), "p": rhythm(0)},
        {"a": 0, "b": 0, "c": 179, "once": 45, "p": None},
        SEGMENTS,
        rules(),
    )
    assert found == {
        "a": Lifecycle("active", 4, 9, Decimal(10), True),
        "b": Lifecycle("active", 5, 9, Decimal("20.5"), True),
        "c": Lifecycle("dormant", 9, 9, Decimal(30), True),
        "once": Lifecycle("at_risk", 1, None, Decimal(30), False),
        "p": Lifecycle("prospect", 0, None, None, False),
    }


# -- Rules of one's own ----------------------------------------------------------------------------


def custom(*lines: str) -> Rules:
    """Rules from rows of the seed: priority, stage, order days from and to, the two ratios."""
    columns = (
        "priority lifecycle_stage order_days_from order_days_to gap_ratio_from break_ratio_from"
    )
    rows = [
        {
            column: "" if cell == "-" else cell
            for column, cell in zip(columns.split(), line.split(), strict=True)
        }
        for line in lines
    ]
    return replace(rules(), lifecycle=lifecycle_from(rows))


def test_the_smallest_priority_that_matches_wins() -> None:
    """By number, not by text (9 is before 10) and not by the place in the file."""
    given = custom("10 active 0 - - -", "9 developing 2 - - -", "100 lost 0 - - -")
    assert stage(rhythm(2, 1), 0, Decimal(10), given) == "developing"
    assert stage(rhythm(1), 0, Decimal(10), given) == "active"
    assert stage(rhythm(0), None, None, given) == "active"


def test_what_is_not_known_reaches_no_ratio() -> None:
    """Not even a ratio of 0; nothing is known of a prospect, nor of a single day's last gap."""
    given = custom("1 lost 0 - 0 -", "2 won_back 0 - - 0", "3 new 0 - - -")
    assert stage(rhythm(0), None, None, given) == "new"
    assert stage(rhythm(1), 0, Decimal(10), given) == "lost"
    given = custom("1 won_back 0 - - 0", "2 new 0 - - -")
    assert stage(rhythm(1), 0, Decimal(10), given) == "new"
    assert stage(rhythm(2, 1), 0, Decimal(10), given) == "won_back"


def test_a_rule_may_ask_for_both_ratios_and_for_order_days() -> None:
    given = custom("1 at_risk 3 5 0.25 1.75", "2 active 0 - - -")

    def stage_of(order_days: int, last_gap_days: int, recency_days: int) -> str:
        return stage(rhythm(order_days, last_gap_days), recency_days, Decimal(20), given)

    # 0.25 and 1.75 times 20 days are 5 and 35.
    assert stage_of(3, 35, 5) == stage_of(5, 35, 5) == "at_risk"
    assert stage_of(2, 35, 5) == stage_of(6, 35, 5) == "active"
    assert stage_of(4, 34, 5) == stage_of(4, 35, 4) == "active"


def test_the_shipped_rules() -> None:
    """As the seed has them, in order of priority."""
    assert [rule.lifecycle_stage for rule in rules().lifecycle] == [
        *("prospect", "lost", "dormant", "at_risk", "won_back", "new", "developing", "active")
    ]


# -- From raw tables to marts ----------------------------------------------------------------------


def run(as_of_date: str, *orders: tuple[str, str], given: Rules | None = None) -> Result:
    """Compute from orders of 100 each, given as customer and date; X is a customer without any.

    A later date after a second blank is that of the full refund.
    """
    tables = {
        "customers": [{"customer_id": "X"}],
        "orders": [
            {
                "order_id": f"o{number}",
                "customer_id": customer,
                "ordered_at": dates.split()[0],
                "status": "completed",
                "order_amount": "100",
            }
            for number, (customer, dates) in enumerate(orders)
        ],
        "refunds": [
            {
                "refund_id": f"r{number}",
                "order_id": f"o{number}",
                "refunded_at": dates.split()[1],
                "refund_amount": "100",
            }
            for number, (_, dates) in enumerate(orders)
            if len(dates.split()) > 1
        ],
    }
    return compute(tables, replace(given or rules(), as_of_date=as_of_date), RUN_DATE)


def stages(result: Result, customer: str) -> dict[str, str]:
    """A customer's stage at every period end."""
    return {
        period_end.isoformat(): row.lifecycle_stage
        for (customer_id, period_end), row in result.customer_periods.items()
        if customer_id == customer
    }


def test_a_life() -> None:
    """A buys every 10 days, is away for 90 and returns; in May the day of 11 January is undone."""
    result = run(
        "2024-05-31",
        *(("A", "2024-01-01"), ("A", "2024-01-11 2024-05-15"), ("A", "2024-01-21")),
        *(("A", "2024-01-31"), ("A", "2024-04-30")),
        *(("B", "2024-04-30"), ("C", "2024-04-01 2024-04-01")),
    )
    assert stages(result, "A") == {
        "2024-01-31": "active",
        "2024-02-29": "at_risk",  # 29 days are 2.9 times 10
        "2024-03-31": "lost",  # 60 days are 6 times 10
        "2024-04-30": "won_back",  # a gap of 90 beside three of 10
        "2024-05-31": "at_risk",  # 31 days; gaps of 20, 10 and 90 have a median of 20
    }
    # Nobody but A has a rhythm: 10 days in April, 20 in May.
    assert stages(result, "B") == {"2024-04-30": "new", "2024-05-31": "at_risk"}
    assert stages(result, "C") == {"2024-04-30": "prospect", "2024-05-31": "prospect"}
    april, may = (result.customer_periods["A", day(d)] for d in ("2024-04-30", "2024-05-31"))
    assert (april.order_days, april.last_gap_days, april.expected_gap_days) == (5, 90, 10)
    assert (may.order_days, may.last_gap_days, may.expected_gap_days) == (4, 90, 20)
    of_b = result.customer_periods["B", day("2024-05-31")]
    assert (of_b.order_days, of_b.last_gap_days, of_b.expected_gap_days) == (1, None, 20)
    assert may.has_own_gap
    assert not of_b.has_own_gap
    assert {name: row.lifecycle_stage for name, row in result.customers.items()} == {
        **{"A": "at_risk", "B": "at_risk", "C": "prospect", "X": "prospect"}
    }


def test_alone_with_one_order_the_default_counts() -> None:
    """1.5 times 90 days are 135: from 1 January to 15 May of a leap year."""
    assert run("2024-05-14", ("B", "2024-01-01")).customers["B"].lifecycle_stage == "new"
    assert run("2024-05-15", ("B", "2024-01-01")).customers["B"].lifecycle_stage == "at_risk"


def test_the_lapsed_are_a_segment_like_others() -> None:
    """Of everybody (10 and 40) it were 25; the lapsed one has the 10 of the other lapsed one."""
    result = run(
        "2024-01-01",
        *(("L", f"2022-01-{number}1") for number in range(4)),
        ("M", "2022-01-31"),
        *(("A", text) for text in ("2023-09-03", "2023-10-13", "2023-11-22", "2024-01-01")),
    )
    rows = {customer: result.customer_periods[customer, day("2024-01-01")] for customer in "LMA"}
    assert {customer: row.status for customer, row in rows.items()} == {
        **{"L": "lapsed", "M": "lapsed", "A": "active"}
    }
    assert {customer: row.expected_gap_days for customer, row in rows.items()} == {
        **{"L": 10, "M": 10, "A": 40}
    }
    assert {customer: row.lifecycle_stage for customer, row in rows.items()} == {
        **{"L": "lost", "M": "lost", "A": "active"}
    }


def test_the_stage_of_a_customer_is_that_of_the_open_period() -> None:
    """Ten days after the last of four orders ten days apart, and at 15 days."""
    made = [("A", f"2024-01-{number}1") for number in range(4)]
    assert run("2024-02-10", *made).customers["A"].lifecycle_stage == "active"
    result = run("2024-02-15", *made)
    assert stages(result, "A") == {"2024-01-31": "active", "2024-02-15": "at_risk"}
    assert result.customers["A"].lifecycle_stage == "at_risk"
