"""The oracle itself, against cases worked out by hand and against published results.

Every expected value below is derived in a comment or is plain from the rule that the test names;
none was taken from running the code.
"""

import csv
import gzip
import itertools
import os
from collections import Counter
from dataclasses import astuple, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from oracle import Result, Rules, compute, load_raw, marts
from oracle.periods import calendar_period
from oracle.reading import BadValueError, Setting, read_boolean, read_decimal, read_stamp
from oracle.rfm import first_code, quantile_edges
from oracle.rules import ComponentWeight, ladders_from
from oracle.scores import (
    INTERACTION_INPUTS,
    contribution,
    coverage,
    renormalise,
    rounded,
    star_rating,
    weights_of,
)
from oracle.tiers import TierState, may_downgrade, provisional_review, review

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "seeds"
DATA = (ROOT / os.environ.get("TIERING_DATA", "../shared/data")).resolve()
RUN_DATE = date(2030, 1, 1)

Row = dict[str, str | None]


def rules(**project_vars: Any) -> Rules:
    """The shipped rules with some vars set."""
    return Rules.from_seeds(SEEDS, **project_vars)


def order(
    order_id: str, ordered_at: str, amount: str = "100", customer: str | None = "A", **more: str
) -> Row:
    """A raw order, completed unless said otherwise."""
    return {
        "order_id": order_id,
        "customer_id": customer,
        "ordered_at": ordered_at,
        "status": "completed",
        "order_amount": amount,
    } | more


def refund(refund_id: str, order_id: str, refunded_at: str, amount: str) -> Row:
    """A raw refund."""
    return {
        "refund_id": refund_id,
        "order_id": order_id,
        "refunded_at": refunded_at,
        "refund_amount": amount,
    }


def merge(from_id: str, into_id: str, merged_at: str) -> Row:
    """A raw merge of one customer id into another."""
    return {"from_customer_id": from_id, "into_customer_id": into_id, "merged_at": merged_at}


def interaction(
    interaction_id: str, occurred_at: str, customer: str = "A", **more: str | None
) -> Row:
    """A raw interaction, of no type unless said otherwise."""
    return {
        "interaction_id": interaction_id,
        "customer_id": customer,
        "occurred_at": occurred_at,
    } | more


def ticket(
    ticket_id: str,
    opened_at: str,
    ticket_type: str | None,
    closed_at: str | None = None,
    customer: str = "A",
    **more: str,
) -> Row:
    """A raw ticket, never closed unless said otherwise."""
    return {
        "ticket_id": ticket_id,
        "customer_id": customer,
        "opened_at": opened_at,
        "closed_at": closed_at,
        "ticket_type": ticket_type,
    } | more


def answer(
    response_id: str, responded_at: str, survey_type: str | None, score: str, customer: str = "A"
) -> Row:
    """A raw answer to a survey."""
    return {
        "response_id": response_id,
        "customer_id": customer,
        "responded_at": responded_at,
        "survey_type": survey_type,
        "score": score,
    }


def referral(
    referral_id: str,
    referred_at: str,
    converted_at: str | None = None,
    customer: str = "A",
    **more: str,
) -> Row:
    """A raw referral by a customer."""
    return {
        "referral_id": referral_id,
        "referrer_customer_id": customer,
        "referred_at": referred_at,
        "converted_at": converted_at,
    } | more


def balance(customer: str, balance_date: str, amount: str, **more: str) -> Row:
    """A raw balance, in the reporting currency and of an account without an id unless said otherwise."""
    return {
        "customer_id": customer,
        "balance_date": balance_date,
        "balance_amount": amount,
    } | more


def attribute(customer: str, name: str, value: str, updated_at: str | None) -> Row:
    """A raw attribute of a customer."""
    return {"customer_id": customer, "attribute": name, "value": value, "updated_at": updated_at}


def run(given: Rules | None = None, **tables: list[Row]) -> Result:
    """Compute from raw tables given by name."""
    return compute(tables, given or rules(), RUN_DATE)


def day(text: str) -> date:
    """A date from ISO text."""
    return date.fromisoformat(text)


def rejections(result: Result) -> list[tuple[str, ...]]:
    """All rejected records as plain tuples."""
    return [tuple(record) for record in result.rejected_records]


# -- Reading values --------------------------------------------------------------------------------


def setting(**project_vars: Any) -> Setting:
    return Setting(rules(**project_vars), RUN_DATE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12.00"),
        ("-3.5", "-3.50"),
        (".5", "0.50"),
        ("1e2", "100.00"),
        ("1.005", "1.01"),  # half away from zero
        ("-1.005", "-1.01"),
        ("1.00499", "1.00"),
        ("9999999999999999.99", "9999999999999999.99"),  # the largest decimal(18, 2)
    ],
)
def test_amounts_are_rounded_half_away_from_zero(text: str, expected: str) -> None:
    assert read_decimal(2)(text, setting()) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["1,234.5", "abc", "NaN", "Infinity", "1 2", "", "1e16", "9999999999999999.995", "٣"]
)
def test_what_is_no_number_of_the_type_is_unreadable(text: str) -> None:
    with pytest.raises(BadValueError, match="unreadable_value"):
        read_decimal(2)(text, setting())


def test_booleans_in_any_case() -> None:
    assert [read_boolean(text, setting()) for text in ("TRUE", "y", "1")] == [True] * 3
    assert [read_boolean(text, setting()) for text in ("False", "N", "0")] == [False] * 3
    with pytest.raises(BadValueError):
        read_boolean("maybe", setting())


@pytest.mark.parametrize(
    ("source", "business", "text", "instant", "business_date"),
    [
        # Clocks go back at 03:00 CEST: 02:30 is 00:30 UTC or 01:30 UTC; the later counts.
        ("Europe/Berlin", "UTC", "2024-10-27 02:30:00", "2024-10-27T01:30", "2024-10-27"),
        # Clocks go forward at 02:00 CET: 02:30 is not there; with CET (+1) it is 01:30 UTC.
        ("Europe/Berlin", "UTC", "2024-03-31T02:30:00", "2024-03-31T01:30", "2024-03-31"),
        # The same west of Greenwich: 01:30 is EDT (-4) or EST (-5); 02:30 in the gap is EST.
        ("America/New_York", "UTC", "2024-11-03 01:30", "2024-11-03T06:30", "2024-11-03"),
        ("America/New_York", "UTC", "2024-03-10 02:30", "2024-03-10T07:30", "2024-03-10"),
        # Eight hours move the date, and the month with it.
        ("Asia/Shanghai", "UTC", "2024-03-01 07:59:59.999", None, "2024-02-29"),
        ("UTC", "Asia/Shanghai", "2024-12-31 16:00:00", "2024-12-31T16:00", "2025-01-01"),
        ("UTC", "Asia/Shanghai", "2024-12-31 15:59:59", None, "2024-12-31"),
        # A value's own zone overrides source_time_zone.
        ("Asia/Shanghai", "UTC", "2024-02-01T00:30:00+08:00", "2024-01-31T16:30", "2024-01-31"),
        ("Asia/Shanghai", "UTC", "2024-02-01T00:30:00Z", "2024-02-01T00:30", "2024-02-01"),
        ("UTC", "UTC", "2024-02-01 00:30:00-05", "2024-02-01T05:30", "2024-02-01"),
        # Equal zones: the value's own date, also where midnight itself does not exist.
        ("America/Sao_Paulo", "America/Sao_Paulo", "2018-11-04 00:30:00", None, "2018-11-04"),
        # Clocks went from 23:00 to 24:00: half past eleven is half past midnight.
        ("Asia/Dhaka", "Asia/Dhaka", "2009-06-19 23:30:00", "2009-06-19T17:30", "2009-06-20"),
        ("UTC", "UTC", "2024-02-29", "2024-02-29T00:00", "2024-02-29"),
    ],
)
def test_timestamps(
    source: str, business: str, text: str, instant: str | None, business_date: str
) -> None:
    stamp = read_stamp(text, setting(source_time_zone=source, business_time_zone=business))
    assert stamp.day == day(business_date)
    if instant:
        utc = datetime.fromisoformat(instant).replace(tzinfo=UTC)
        assert stamp.instant == int(utc.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "2024-13-01", "2024-1", "01/02/2024", "2024-01-01 25:00", "today",
     "2024-01-01T10:00:00+99", "2024-01-01T"],
)  # fmt: skip
def test_what_is_no_iso_time_is_unreadable(text: str) -> None:
    with pytest.raises(BadValueError, match="unreadable_value"):
        read_stamp(text, setting())


# -- Staging ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reason", "column"),
    [
        ({"order_id": "  "}, "missing_value", "order_id"),
        ({"ordered_at": None}, "missing_value", "ordered_at"),
        ({"ordered_at": "soon"}, "unreadable_value", "ordered_at"),
        ({"ordered_at": "2030-01-02"}, "after_run_date", "ordered_at"),
        ({"ordered_at": "1999-12-31 23:59:59"}, "before_history", "ordered_at"),
        ({"status": "lost"}, "not_allowed", "status"),
        ({"order_amount": "1,000"}, "unreadable_value", "order_amount"),
        ({"order_amount": "-0.01"}, "credit_note_without_order", "order_amount"),
        ({"currency_code": "¥"}, "not_allowed", "currency_code"),
        ({"is_test": "maybe"}, "unreadable_value", "is_test"),
        ({"currency_code": "usd"}, "no_exchange_rate", "currency_code"),
        ({"currency_code": "usd", "is_test": "t"}, "no_exchange_rate", "currency_code"),
        # The first bad column in the contract's order gives the reason, one record a row.
        (
            {"discount_amount": "x", "status": None, "ordered_at": "2031-01-01"},
            "after_run_date",
            "ordered_at",
        ),
    ],
)
def test_a_bad_required_value_rejects_the_row(changed: Row, reason: str, column: str) -> None:
    result = run(orders=[order("o1", "2024-01-05") | changed])
    key = (changed.get("order_id", "o1") or "").strip()
    assert rejections(result) == [("orders", key, "rejected", reason, column)]
    assert result.reconciliation["orders"].rows_rejected == 1
    assert not result.ledger


def test_a_bad_optional_value_becomes_null() -> None:
    result = run(
        orders=[order("o1", "2024-01-05", discount_amount="-1", returned_at="soon")],
        customers=[
            {"customer_id": "A", "customer_type": "robot", "country_code": "cn",
             "birth_date": "1899-12-31", "marketing_consent": "Yes"}
        ],
    )  # fmt: skip
    assert rejections(result) == [
        ("customers", "A", "nulled", "not_allowed", "birth_date"),
        ("customers", "A", "nulled", "not_allowed", "customer_type"),
        ("orders", "o1", "nulled", "not_allowed", "discount_amount"),
        ("orders", "o1", "nulled", "unreadable_value", "returned_at"),
    ]
    attributes = result.customers["A"].attributes
    assert attributes["customer_type"] is None
    assert attributes["country_code"] == "CN"
    assert attributes["marketing_consent"] is True


def test_keys_are_trimmed_and_joined_in_the_source_key() -> None:
    result = run(
        orders=[order(" o1 ", "2024-01-05")],
        order_items=[
            {"order_id": " o1 ", "line_number": " "},
            {"order_id": "o2", "line_number": "1"},
            {"order_id": "o1", "line_number": "1.5"},
            {"order_id": "o1", "line_number": "1"},
        ],
    )
    assert rejections(result) == [
        ("order_items", "o1|", "rejected", "missing_value", "line_number"),
        ("order_items", "o1|1.5", "rejected", "unreadable_value", "line_number"),
        ("order_items", "o2|1", "rejected", "unknown_order", "order_id"),
    ]
    assert result.reconciliation["order_items"].rows_staged == 1


def test_words_for_a_status_are_known_in_any_case() -> None:
    result = run(orders=[order("o1", "2024-01-05", status="Delivered"),
                         order("o2", "2024-01-06", status="已退款"),
                         order("o3", "2024-01-07", status="Voided")])  # fmt: skip
    statuses = [row.status for row in result.orders.values()]
    assert statuses == ["completed", "returned"]  # o3 is after as_of_date: it never entered
    assert result.as_of_date == day("2024-01-06")


def test_of_duplicates_the_newest_wins_then_the_smallest_text() -> None:
    def amount_of(*rows: Row) -> Decimal:
        results = [run(orders=list(order)) for order in (rows, rows[::-1])]
        assert all(result.reconciliation["orders"].rows_duplicate == 1 for result in results)
        amounts = {result.orders["o1"].order_amount for result in results}
        assert len(amounts) == 1
        return amounts.pop()

    def version(amount: str, updated_at: str | None) -> Row:
        return order("o1", "2024-01-05", amount) | {"updated_at": updated_at}

    assert amount_of(version("2", "2024-02-01"), version("1", "2024-01-01")) == 2
    assert amount_of(version("2", "1990-01-01"), version("1", None)) == 2  # NULL is oldest
    assert amount_of(version("2", "2024-02-01"), version("1", "bad")) == 2  # nulled is NULL
    assert amount_of(version("2", None), version("1", None)) == 1
    assert amount_of(version(" 9", None), version("1", None)) == 9  # a blank sorts before "1"
    # One instant in two zones is a tie; by text "...08:00" in updated_at never comes to count here,
    # as the amount stands before it.
    assert amount_of(version("2", "2024-01-01T08:00+08:00"), version("1", "2024-01-01T00:00Z")) == 1


def test_of_equally_new_rows_the_one_with_the_newest_event_wins() -> None:
    """Text alone would keep "completed", which sorts before all; the run is of 2030-01-01."""

    def status_of(updated_at: str | None, **events: str) -> tuple[str, int]:
        made = [
            order("o1", "2024-01-05", updated_at=updated_at),
            order("o1", "2024-01-05", status="returned", updated_at=updated_at, **events),
        ]
        found = run(orders=made)
        assert run(orders=made[::-1]).orders == found.orders
        return found.orders["o1"].status, found.reconciliation["orders"].rows_undecided

    assert status_of(None, returned_at="2024-01-20") == ("returned", 0)
    assert status_of("2024-02-01", returned_at="2024-01-20") == ("returned", 0)
    assert status_of(None, cancelled_at="2024-01-20") == ("returned", 0)
    assert status_of(None) == ("completed", 1)
    # on the day of the run it has happened, the day after it has not, nor what cannot be read
    assert status_of(None, returned_at="2030-01-01 23:59:59") == ("returned", 0)
    assert status_of(None, returned_at="2030-01-02") == ("completed", 1)
    assert status_of(None, returned_at="soon") == ("completed", 1)
    # the newest of a row's events counts: 20 January is newer than 10, not so new as 21
    made = [
        order("o1", "2024-01-05", "1", cancelled_at="2024-01-10", returned_at="2024-01-20"),
        order("o1", "2024-01-05", "2", cancelled_at="2024-01-21"),
    ]
    assert run(orders=made).orders["o1"].order_amount == 2
    # updated_at comes first
    newer = order("o1", "2024-01-05", "3", updated_at="2024-01-06")
    assert run(orders=[*made, newer]).orders["o1"].order_amount == 3


def test_tickets_and_referrals_have_events_too() -> None:
    """Closed on 20 January the complaint is open no more; converted, the referral counts."""
    result = run(
        orders=[order("o1", "2024-01-05")],
        tickets=[
            ticket("T1", "2024-01-05", "complaint"),
            ticket("T1", "2024-01-05", "question", "2024-01-20"),
        ],
        referrals=[
            referral("F1", "2024-01-05"),
            referral("F1", "2024-01-05", "2024-01-20"),
        ],
    )
    for table in ("tickets", "referrals"):
        rows = result.reconciliation[table]
        assert (rows.rows_staged, rows.rows_duplicate, rows.rows_undecided) == (1, 1, 0)
    assert result.score_details["A", "satisfaction", "complaints"].input_value == 0


def test_rows_that_only_their_text_decides_between_are_counted() -> None:
    """Of o1 "1" is kept; "2", "3" and "4" are as good, 9 in all. A copy of "1" is no other version."""
    made = [
        *(order("o1", "2024-01-05", amount) for amount in ("2", "1", "3", "1")),
        order("o1", "2024-01-05", "4", updated_at="bad"),  # as old as those without
        order("o2", "2024-01-05", "10", updated_at="2024-01-06"),
        order("o2", "2024-01-05", "20", updated_at="2024-01-05"),  # decided
        order("o3", "2024-01-05", "30"),
        order("o3", "2024-01-05", "30"),  # a copy
        order("o4", "2024-01-05", "40"),
        order("o4", "2024-01-05", "50", status="lost"),  # rejected
    ]
    items = [{"order_id": "o1", "line_number": "1", "product_id": p} for p in "pq"]
    result = run(orders=made, order_items=items)
    orders = result.reconciliation["orders"]
    assert (orders.rows_duplicate, orders.amount_duplicate) == (6, 60)
    assert (orders.rows_undecided, orders.amount_undecided) == (3, 9)
    lines = result.reconciliation["order_items"]
    assert (lines.rows_undecided, lines.amount_undecided) == (1, 0)
    refunds = result.reconciliation["refunds"]
    assert (refunds.rows_undecided, refunds.amount_undecided) == (0, 0)
    tickets = result.reconciliation["tickets"]
    assert (tickets.rows_undecided, tickets.amount_undecided) == (0, None)


def test_a_bad_row_is_no_duplicate() -> None:
    """Reject first: the newest version is broken, so the older one stands."""
    result = run(
        orders=[
            order("o1", "2024-01-05", "7", updated_at="2024-01-05"),
            order("o1", "2024-01-05", "x", updated_at="2024-01-06"),
        ]
    )
    assert result.orders["o1"].order_amount == 7
    rows = result.reconciliation["orders"]
    assert (rows.rows_staged, rows.rows_duplicate, rows.rows_rejected) == (1, 0, 1)


def test_rows_and_amounts_reconcile() -> None:
    result = run(
        orders=[
            order("o1", "2024-01-05", "100", updated_at="2024-01-06"),
            order("o1", "2024-01-05", "90"),  # duplicate
            order("o2", "2024-01-05", "10", status="lost"),  # rejected
            order("o3", "2024-01-05", "abc"),  # rejected, counts as 0
            order("o4", "2024-01-05", "5", currency_code="USD"),  # no rate
        ],
        refunds=[
            refund("r1", "o1", "2024-01-06", "60"),
            refund("r2", "o1", "2024-01-07", "70"),  # 40 are left: 30 beyond
            refund("r3", "o1", "2024-01-08", "5"),  # wholly beyond
        ],
    )
    orders, refunds = result.reconciliation["orders"], result.reconciliation["refunds"]
    assert astuple(orders)[:9] == ("orders", 5, 1, 1, 3, 205, 100, 90, 15)
    assert astuple(refunds)[:9] == ("refunds", 3, 2, 0, 1, 135, 100, 0, 35)
    assert astuple(result.reconciliation["products"])[:9] == ("products", *[0] * 4, *[None] * 4)


@pytest.mark.parametrize(
    ("table", "changed", "action", "reason", "column"),
    [
        ("interactions", {"interaction_id": " "}, "rejected", "missing_value", "interaction_id"),
        ("interactions", {"customer_id": None}, "rejected", "missing_value", "customer_id"),
        ("interactions", {"occurred_at": "soon"}, "rejected", "unreadable_value", "occurred_at"),
        ("interactions", {"occurred_at": "2030-01-02"}, "rejected", "after_run_date", "occurred_at"),
        ("interactions", {"interaction_type": "fax"}, "nulled", "not_allowed", "interaction_type"),
        ("interactions", {"duration_seconds": "-1"}, "nulled", "not_allowed", "duration_seconds"),
        ("interactions", {"duration_seconds": "1.5"}, "nulled", "unreadable_value",
         "duration_seconds"),
        ("interactions", {"customer_id": "nobody"}, "rejected", "unknown_customer", "customer_id"),
        ("tickets", {"opened_at": "2031-01-01"}, "rejected", "after_run_date", "opened_at"),
        ("tickets", {"closed_at": "soon"}, "nulled", "unreadable_value", "closed_at"),
        ("tickets", {"ticket_type": "praise"}, "nulled", "not_allowed", "ticket_type"),
        ("tickets", {"satisfaction_score": "0"}, "nulled", "not_allowed", "satisfaction_score"),
        ("tickets", {"satisfaction_score": "6"}, "nulled", "not_allowed", "satisfaction_score"),
        ("tickets", {"customer_id": "nobody"}, "rejected", "unknown_customer", "customer_id"),
        ("survey_responses", {"responded_at": "2030-01-02"}, "rejected", "after_run_date",
         "responded_at"),
        ("survey_responses", {"survey_type": "ces", "score": "99"}, "nulled", "not_allowed",
         "survey_type"),
        ("survey_responses", {"score": "11"}, "rejected", "not_allowed", "score"),
        ("survey_responses", {"score": "-1"}, "rejected", "not_allowed", "score"),
        ("survey_responses", {"score": "7.5"}, "rejected", "unreadable_value", "score"),
        ("survey_responses", {"score": " "}, "rejected", "missing_value", "score"),
        ("survey_responses", {"survey_type": "CSAT", "score": "0"}, "rejected", "not_allowed",
         "score"),
        ("survey_responses", {"survey_type": "csat", "score": "6"}, "rejected", "not_allowed",
         "score"),
        # One record a rejected row: what else is wrong with it is not told.
        ("survey_responses", {"survey_type": "ces", "score": "x"}, "rejected", "unreadable_value",
         "score"),
        ("survey_responses", {"customer_id": "nobody"}, "rejected", "unknown_customer",
         "customer_id"),
        ("referrals", {"referred_at": "2030-01-02"}, "rejected", "after_run_date", "referred_at"),
        ("referrals", {"converted_at": "x"}, "nulled", "unreadable_value", "converted_at"),
        ("referrals", {"referrer_customer_id": "nobody"}, "rejected", "unknown_customer",
         "referrer_customer_id"),
        ("referrals", {"referred_customer_id": "A"}, "rejected", "self_referral",
         "referred_customer_id"),
        # A2 is A. Who is unknown refers nobody, not even itself.
        ("referrals", {"referred_customer_id": "A2"}, "rejected", "self_referral",
         "referred_customer_id"),
        ("referrals", {"referrer_customer_id": "X", "referred_customer_id": "X"}, "rejected",
         "unknown_customer", "referrer_customer_id"),
    ],
)  # fmt: skip
def test_bad_facts(table: str, changed: Row, action: str, reason: str, column: str) -> None:
    fine = {
        "interactions": interaction("F1", "2024-01-05"),
        "tickets": ticket("F1", "2024-01-05", "complaint"),
        "survey_responses": answer("F1", "2024-01-05", "nps", "7"),
        "referrals": referral("F1", "2024-01-05"),
    }[table]
    tables = {
        "orders": [order("o1", "2024-01-31")],
        "customer_merges": [merge("A2", "A", "2024-01-01")],
    }
    key = "" if (changed.get(f"{table[:-1]}_id") == " ") else "F1"
    result = run(**tables, **{table: [fine | changed]})
    assert rejections(result) == [(table, key, action, reason, column)]
    assert result.reconciliation[table].rows_rejected == (action == "rejected")
    assert rejections(run(**tables, **{table: [fine]})) == []


@pytest.mark.parametrize(
    ("table", "changed", "action", "reason", "column"),
    [
        ("account_balances", {"customer_id": None}, "rejected", "missing_value", "customer_id"),
        ("account_balances", {"customer_id": "nobody"}, "rejected", "unknown_customer", "customer_id"),
        ("account_balances", {"balance_date": "2030-01-02"}, "rejected", "after_run_date", "balance_date"),
        ("account_balances", {"balance_amount": "n/a"}, "rejected", "unreadable_value", "balance_amount"),
        ("account_balances", {"currency_code": "¥"}, "rejected", "not_allowed", "currency_code"),
        # USD has a rate from 2024-02-01 on, 7.
        ("account_balances", {"currency_code": "usd", "balance_date": "2024-01-31"}, "rejected",
         "no_exchange_rate", "currency_code"),
        ("account_balances", {"currency_code": "USD", "balance_date": "2024-02-01",
         "balance_amount": "142857142857.15"}, "rejected", "amount_too_large", "balance_amount"),
        ("account_balances", {"balance_amount": "-1000000000000.01"}, "rejected", "amount_too_large",
         "balance_amount"),
        # Of several reasons the first of unknown customer, no rate, too large.
        ("account_balances", {"customer_id": "nobody", "currency_code": "EUR"}, "rejected",
         "unknown_customer", "customer_id"),
        ("customer_attributes", {"customer_id": "nobody"}, "rejected", "unknown_customer", "customer_id"),
        ("customer_attributes", {"attribute": " "}, "rejected", "missing_value", "attribute"),
        ("customer_attributes", {"value": None}, "rejected", "missing_value", "value"),
        ("customer_attributes", {"updated_at": "?"}, "nulled", "unreadable_value", "updated_at"),
        ("campaigns", {"campaign_id": None}, "rejected", "missing_value", "campaign_id"),
        ("campaigns", {"starts_on": "spring"}, "rejected", "unreadable_value", "starts_on"),
        ("campaigns", {"ends_on": "2024-02-28"}, "nulled", "not_allowed", "ends_on"),
        ("campaigns", {"cost_amount": "-0.01"}, "nulled", "not_allowed", "cost_amount"),
        ("campaigns", {"holdout_percent": "50.01"}, "nulled", "not_allowed", "holdout_percent"),
        ("campaign_contacts", {"campaign_id": "k9"}, "rejected", "unknown_campaign", "campaign_id"),
        ("campaign_contacts", {"customer_id": "nobody"}, "rejected", "unknown_customer", "customer_id"),
        ("campaign_contacts", {"campaign_id": "k9", "customer_id": "nobody"}, "rejected",
         "unknown_campaign", "campaign_id"),
        ("campaign_contacts", {"contacted_at": "2030-01-02"}, "rejected", "after_run_date", "contacted_at"),
        ("campaign_contacts", {"contact_group": "control"}, "nulled", "not_allowed", "contact_group"),
    ],
)  # fmt: skip
def test_bad_balances_attributes_campaigns_and_contacts(
    table: str, changed: Row, action: str, reason: str, column: str
) -> None:
    fine = {
        "account_balances": {
            "customer_id": "A",
            "balance_date": "2024-01-31",
            "balance_amount": "5",
        },
        "customer_attributes": {"customer_id": "A", "attribute": "diet", "value": "vegan"},
        "campaigns": {"campaign_id": "k2", "starts_on": "2024-02-29", "ends_on": "2024-02-29"},
        "campaign_contacts": {
            "campaign_id": "k1",
            "customer_id": "A",
            "contacted_at": "2024-03-01",
            "contact_group": "HOLDOUT",
        },
    }
    others = {
        "orders": [order("o1", "2024-01-31")],
        "exchange_rates": [
            {"rate_date": "2024-02-01", "currency_code": "USD", "rate_to_reporting": "7"}
        ],
        "campaigns": [{"campaign_id": "k1", "starts_on": "2031-01-01"}],
    }
    known = others.get(table, [])
    result = run(**{**others, table: [*known, fine[table] | changed]})
    assert [record[:1] + record[2:] for record in rejections(result)] == [
        (table, action, reason, column)
    ]
    assert result.reconciliation[table].rows_rejected == (action == "rejected")
    assert rejections(run(**{**others, table: [*known, fine[table]]})) == []


def test_balances_are_of_accounts_and_in_the_reporting_currency() -> None:
    """10.07 x 7.15 = 72.0005. Without a currency a balance is in CNY, so that of two rows of one day the smaller text
    stays; accounts without an id of merged customers are two."""
    result = run(
        orders=[order("o1", "2024-01-31")],
        customer_merges=[merge("A2", "A", "2024-01-01")],
        exchange_rates=[
            {"rate_date": "2024-01-02", "currency_code": "USD", "rate_to_reporting": "7.15"},
            {"rate_date": "2024-01-04", "currency_code": "USD", "rate_to_reporting": "9"},
        ],
        account_balances=[
            balance("A", "2024-01-03", "-10.07", account_id="x", currency_code="usd"),
            balance("A", "2024-01-03", "2", currency_code=" cny"),
            balance("A", "2024-01-03", "1"),
            balance("A2", "2024-01-03", "4"),
        ],
    )
    assert sorted(result.account_balances) == [
        ("A", "A", "", "CNY", day("2024-01-03"), Decimal("1.00")),
        ("A", "A", "x", "USD", day("2024-01-03"), Decimal("-72.00")),
        ("A", "A2", "", "CNY", day("2024-01-03"), Decimal("4.00")),
    ]
    assert result.reconciliation["account_balances"].rows_undecided == 1


def test_the_newest_values_of_an_attribute_hold() -> None:
    """Tea and chess are of one time, golf is older; without any time both diets hold, of both ids."""
    result = run(
        orders=[order("o1", "2024-01-31")],
        customer_merges=[merge("A2", "A", "2024-01-01")],
        customer_attributes=[
            attribute("A", "hobby", "tea", "2024-05-01"),
            attribute("A", " Hobby ", " chess ", "2024-05-01 00:00:00"),
            attribute("A", "hobby", "golf", "2024-04-30 23:59:59"),
            attribute("A", "hobby", "opera", None),
            attribute("A2", "hobby", "tea", "2024-05-01"),
            attribute("A", "diet", "vegan", None),
            attribute("A2", "diet", "Vegan", None),
        ],
    )
    assert result.customer_attributes == {
        ("A", "hobby", "tea"),
        ("A", "hobby", "chess"),
        ("A", "diet", "vegan"),
        ("A", "diet", "Vegan"),
    }


def test_facts_that_are_fine() -> None:
    """At the limits; of a customer without orders; a survey of no type; closed before opened."""
    result = run(
        customers=[{"customer_id": "N"}],
        interactions=[interaction("I1", "2030-01-01 23:59:59", "N", duration_seconds="0")],
        tickets=[
            ticket("T1", "2024-01-05", "QUESTION", "2023-01-05", customer="N", severity="dire"),
            ticket("T2", "2024-01-05", None, "2999-01-05", customer="N", satisfaction_score="5.0"),
        ],
        survey_responses=[
            answer("V1", "2024-01-05", "NPS", "0", "N"),
            answer("V2", "2024-01-05", "nps", "1e1", "N"),
            answer("V3", "2024-01-05", None, "-99", "N"),
        ],
        referrals=[referral("F1", "2024-01-05", customer="N", referred_customer_id="unheard of"),
                   referral("F2", "2024-01-05", customer="N")],
    )  # fmt: skip
    assert rejections(result) == []
    assert result.reconciliation["survey_responses"].rows_staged == 3


def test_staged_rows_that_say_nothing_are_counted() -> None:
    """What lacks all that a model could read of it; rows rejected or left out are not counted."""
    result = run(
        orders=[order("o1", "2024-01-05")],
        survey_responses=[
            answer("V1", "2024-01-05", None, "9"),
            answer("V2", "2024-01-05", "ces", "9"),  # an unknown type is NULL
            answer("V2", "2024-01-05", "ces", "9"),  # a copy
            answer("V3", "2024-01-05", "nps", "9"),
            answer("V4", "2024-01-05", None, "9", "nobody"),
            answer("V5", "soon", None, "9"),
        ],
        tickets=[
            ticket("T1", "2024-01-05", None),
            ticket("T2", "2024-01-05", None, satisfaction_score="4"),  # its rating counts
            ticket("T3", "2024-01-05", "question"),
        ],
        products=[
            {"product_id": "P1", "product_name": "Tea"},
            {"product_id": "P2", "category": "tea"},
            {"product_id": "P3", "product_type": "service"},
        ],
        interactions=[interaction("I1", "2024-01-05")],  # a contact, whatever its type
        referrals=[referral("F1", "2024-01-05")],  # may still convert
    )
    unused = {name: rows.rows_unused for name, rows in result.reconciliation.items()}
    assert {name: count for name, count in unused.items() if count} == {
        "survey_responses": 2,
        "tickets": 1,
        "products": 1,
    }


def test_facts_reconcile() -> None:
    """Duplicates go before strangers; of equal keys the smallest text stays: A before nobody."""
    result = run(
        orders=[order("o1", "2024-01-05")],
        tickets=[
            ticket("T1", "2024-01-05", "complaint", customer="nobody"),
            ticket("T1", "2024-01-05", "complaint", customer="A"),
            ticket("T2", "2024-01-05", "complaint", customer="nobody"),
            ticket("T2", "2024-01-05", "complaint", customer="nobody"),
            ticket("T3", "soon", "complaint"),
        ],
    )
    assert rejections(result) == [
        ("tickets", "T2", "rejected", "unknown_customer", "customer_id"),
        ("tickets", "T3", "rejected", "unreadable_value", "opened_at"),
    ]
    assert astuple(result.reconciliation["tickets"])[:9] == ("tickets", 5, 1, 2, 2, *[None] * 4)
    assert astuple(result.reconciliation["referrals"])[:9] == ("referrals", *[0] * 4, *[None] * 4)


def test_load_raw_reads_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "b.csv").write_text("order_id,colour\no3,red\n", "utf-8")
    (tmp_path / "orders" / "a.csv").write_text('order_id,channel\n" o1",\no2,"a,b"\n', "utf-8")
    (tmp_path / "products.csv").write_text("\ufeffproduct_id\n茶\n", "utf-8")
    raw = load_raw(tmp_path)
    assert [row["order_id"] for row in raw["orders"]] == [" o1", "o2", "o3"]
    assert [row["channel"] for row in raw["orders"]] == [None, "a,b", None]
    assert "colour" not in raw["orders"][2]
    assert raw["products"][0] == {
        "product_id": "茶", "product_name": None, "category": None, "product_type": None
    }  # fmt: skip
    assert raw["refunds"] == []


# -- Identity --------------------------------------------------------------------------------------


def test_a_chain_of_merges_leads_to_its_end() -> None:
    result = run(
        orders=[order(f"o{c}", "2024-01-05", customer=c) for c in "ABC"],
        customer_merges=[merge("A", "B", "2024-02-01"), merge("B", "C", "2024-03-01")],
    )
    assert result.merged_into == {"A": "C", "B": "C"}
    assert list(result.customers) == ["C"]
    # The merges are later than the orders and than as_of_date, yet hold for all of history.
    assert result.customer_periods["C", day("2024-01-05")].frequency == 3


def test_a_cycle_loses_its_oldest_merge() -> None:
    result = run(
        customer_merges=[
            merge("A", "B", "2024-01-01"),
            merge("B", "C", "2024-01-02"),
            merge("C", "A", "2024-01-03"),
            merge("D", "A", "2023-01-01"),  # leads into the cycle, is not in it
        ]
    )
    # Without A -> B: B -> C -> A.
    assert result.merged_into == {"B": "A", "C": "A", "D": "A"}
    assert rejections(result) == [
        ("customer_merges", "A|B", "rejected", "merge_cycle", "into_customer_id")
    ]


def test_merges_of_one_instant_in_a_cycle_lose_the_smallest_id() -> None:
    result = run(customer_merges=[merge("B", "A", "2024-01-01"), merge("A", "B", "2024-01-01")])
    assert result.merged_into == {"B": "A"}


def test_of_second_targets_the_newest_holds() -> None:
    result = run(
        customer_merges=[
            merge("A", "B", "2024-01-01"),
            merge("A", "C", "2024-01-03"),  # A's newest: breaks the cycle A -> B -> A as well
            merge("B", "A", "2024-01-02"),
            merge("X", "Z", "2024-01-01"),
            merge("X", "Y", "2024-01-01"),  # of one instant: the smaller target
            merge("S", "S", "2024-01-01"),
        ]
    )
    assert result.merged_into == {"A": "C", "B": "C", "X": "Y"}
    assert [(r.source_key, r.reject_reason) for r in result.rejected_records] == [
        ("A|B", "second_target"),
        ("S|S", "self_merge"),
        ("X|Z", "second_target"),
    ]


def test_of_merges_with_one_key_the_newest_counts() -> None:
    """A -> B of January is an older duplicate; that of March is newer than A -> C."""
    result = run(
        customer_merges=[
            merge("A", "B", "2024-01-01"),
            merge("A", "B", "2024-03-01"),
            merge("A", "C", "2024-02-01"),
        ]
    )
    assert result.merged_into == {"A": "B"}
    assert result.reconciliation["customer_merges"].rows_duplicate == 1


def test_attributes_come_from_the_survivor_else_the_newest_member() -> None:
    def person(customer_id: str, city: str, updated_at: str | None) -> Row:
        return {"customer_id": customer_id, "city": city, "updated_at": updated_at}

    result = run(
        customers=[
            person("A", "old", "2024-05-01"),
            person("B", "survivor", None),
            person("C", "newest", "2024-03-01"),
            person("D", "older", "2024-02-01"),
            person("E", "no time", None),
        ],
        orders=[order("o1", "2024-01-05", customer="F"), order("o2", "2024-01-05", customer=None)],
        customer_merges=[
            merge("A", "B", "2024-01-01"),
            *(merge(member, "G", "2024-01-01") for member in "CDE"),
        ],
    )
    cities = {c.customer_id: (c.attributes or {}).get("city") for c in result.customers.values()}
    assert cities == {"B": "survivor", "G": "newest", "F": None}
    assert [c for c, row in result.customers.items() if row.is_inferred] == ["F"]


# -- Money -----------------------------------------------------------------------------------------


def ledger(result: Result) -> list[tuple[str, str, int, str, str]]:
    """Ledger rows as (order_date, known_date, orders, revenue, refunded)."""
    return [
        (str(r.order_date)[5:], str(r.known_date)[5:], r.orders_delta, str(r.revenue_delta),
         str(r.refunded))
        for r in result.ledger
    ]  # fmt: skip


def test_a_refund_counts_from_the_day_it_was_known() -> None:
    result = run(
        rules(as_of_date="2024-05-31"),
        orders=[order("o1", "2024-04-10")],
        refunds=[refund("r1", "o1", "2024-05-03", "30")],
    )
    assert ledger(result) == [
        ("04-10", "04-10", 1, "100.00", "0.00"),
        ("04-10", "05-03", 0, "-30.00", "30.00"),
    ]
    april, may = (result.customer_periods["A", day(end)] for end in ("2024-04-30", "2024-05-31"))
    assert (april.monetary, april.period_revenue) == (100, 100)
    assert (may.monetary, may.period_revenue, may.frequency) == (70, 0, 1)


def test_a_refund_is_never_known_before_its_order() -> None:
    result = run(
        orders=[order("o1", "2024-04-10")], refunds=[refund("r1", "o1", "2024-04-01", "30")]
    )
    assert ledger(result) == [("04-10", "04-10", 1, "70.00", "30.00")]


def test_an_order_is_undone_when_refunds_reach_its_amount() -> None:
    """By known date: r2 (60 in April), r1 (40 of 70 in May, 30 beyond), r3 (wholly beyond)."""
    result = run(
        orders=[order("o1", "2024-04-10")],
        refunds=[
            refund("r1", "o1", "2024-05-03", "70"),
            refund("r2", "o1", "2024-04-20", "60"),
            refund("r3", "o1", "2024-05-04", "1"),
        ],
    )
    assert ledger(result) == [
        ("04-10", "04-10", 1, "100.00", "0.00"),
        ("04-10", "04-20", 0, "-60.00", "60.00"),
        ("04-10", "05-03", -1, "-40.00", "40.00"),
    ]
    assert rejections(result) == [
        ("refunds", "r1", "nulled", "refund_exceeds_order", "refund_amount"),
        ("refunds", "r3", "rejected", "refund_exceeds_order", "refund_amount"),
    ]


def test_refunds_of_one_day_are_applied_by_id() -> None:
    """ "r10" comes before "r9": of 100, r10 takes 80 and r9 20 of its 50."""
    result = run(
        orders=[order("o1", "2024-04-10")],
        refunds=[
            refund("r9", "o1", "2024-05-03 01:00", "50"),
            refund("r10", "o1", "2024-05-03 23:00", "80"),
        ],
    )
    assert [r.source_key for r in result.rejected_records] == ["r9"]


def test_a_refund_of_nothing_changes_nothing() -> None:
    result = run(
        orders=[order("o1", "2024-04-10", "0"), order("o2", "2024-04-11", "10")],
        refunds=[
            refund("r1", "o1", "2024-05-03", "0"),  # a zero-amount order is not undone by it
            refund("r2", "o1", "2024-05-03", "1"),  # wholly beyond an amount of 0
            refund("r3", "o2", "2024-05-03", "10"),
            refund("r4", "o2", "2024-05-04", "0"),
        ],
    )
    assert [r.source_key for r in result.rejected_records] == ["r2"]
    assert ledger(result) == [
        ("04-10", "04-10", 1, "0.00", "0.00"),
        ("04-11", "04-11", 1, "10.00", "0.00"),
        ("04-11", "05-03", -1, "-10.00", "10.00"),
    ]


def cancelled(amount: str, *refunds: Row) -> Result:
    """An order of 10 April, cancelled on 20 April, with refunds."""
    made = order("o1", "2024-04-10", amount, status="cancelled", cancelled_at="2024-04-20")
    return run(orders=[made], refunds=list(refunds))


def test_a_later_cancellation_reverses_what_is_left() -> None:
    assert ledger(cancelled("100")) == [
        ("04-10", "04-10", 1, "100.00", "0.00"),
        ("04-10", "04-20", -1, "-100.00", "100.00"),
    ]


def test_refunds_before_a_cancellation_are_applied_later_ones_settle_it() -> None:
    result = cancelled(
        "100",
        refund("r1", "o1", "2024-04-15", "30"),
        refund("r2", "o1", "2024-04-20 23:59", "20"),  # on the day of the cancellation
        refund("r3", "o1", "2024-04-21", "500"),  # settles it, whatever its amount
    )
    assert ledger(result) == [
        ("04-10", "04-10", 1, "100.00", "0.00"),
        ("04-10", "04-15", 0, "-30.00", "30.00"),
        ("04-10", "04-20", -1, "-70.00", "70.00"),
    ]
    assert result.rejected_records == []
    assert result.reconciliation["refunds"].amount_staged == 550


def test_a_cancellation_after_full_refunds_undoes_nothing_twice() -> None:
    result = cancelled(
        "100",
        refund("r1", "o1", "2024-04-15", "100"),
        refund("r2", "o1", "2024-04-16", "1"),  # before the cancellation: beyond the order
        refund("r3", "o1", "2024-04-20", "1"),  # on its day likewise
    )
    assert ledger(result) == [
        ("04-10", "04-10", 1, "100.00", "0.00"),
        ("04-10", "04-15", -1, "-100.00", "100.00"),
    ]
    assert [r.source_key for r in result.rejected_records] == ["r2", "r3"]


def test_a_cancellation_undoes_a_zero_amount_order() -> None:
    assert ledger(cancelled("0")) == [
        ("04-10", "04-10", 1, "0.00", "0.00"),
        ("04-10", "04-20", -1, "0.00", "0.00"),
    ]


def test_what_never_counted_has_no_ledger_row_and_uncapped_refunds() -> None:
    result = run(
        orders=[
            order("o1", "2024-04-10 08:00", status="cancelled", cancelled_at="2024-04-10 08:00"),
            order("o2", "2024-04-10", status="cancelled"),
            order("o3", "2024-04-10", status="pending"),
            order("o4", "2024-04-10", is_test="true"),
        ],
        refunds=[refund(f"r{n}", f"o{n}", "2024-04-11", "999") for n in range(1, 5)],
    )
    assert result.ledger == []
    assert result.rejected_records == []
    assert result.as_of_date is None
    assert result.customers["A"].segment_code == "prospect"


def test_a_cancellation_a_second_later_counts_for_no_day() -> None:
    result = run(
        orders=[
            order("o1", "2024-04-10 08:00:00", status="cancelled",
                  cancelled_at="2024-04-10 08:00:01")
        ]
    )  # fmt: skip
    assert ledger(result) == [("04-10", "04-10", 0, "0.00", "100.00")]
    assert result.customer_periods["A", day("2024-04-10")].status == "prospect"


def test_returned_orders() -> None:
    result = run(
        orders=[
            order("o1", "2024-04-01", "10", status="returned", returned_at="2024-04-20"),
            order("o2", "2024-04-02", "20", status="returned"),
            order("o3", "2024-04-03", "30", status="returned", returned_at="2024-03-01"),
            order("o4", "2024-04-04", "40", status="returned", returned_at="2024-04-20"),
            order("o5", "2024-04-05", "0", status="returned", returned_at="2024-04-20"),
        ],
        refunds=[refund("r4", "o4", "2024-05-01", "15")],  # refund rows say it all
    )
    assert ledger(result) == [
        ("04-01", "04-01", 1, "10.00", "0.00"),
        ("04-02", "04-02", 0, "0.00", "20.00"),
        ("04-03", "04-03", 0, "0.00", "30.00"),
        ("04-04", "04-04", 1, "40.00", "0.00"),
        ("04-05", "04-05", 1, "0.00", "0.00"),
        ("04-01", "04-20", -1, "-10.00", "10.00"),
        ("04-04", "05-01", 0, "-15.00", "15.00"),
    ]


def test_rates_and_rounding() -> None:
    """A rate of 7.01: 0.50 is 3.505, rounded 3.51; the first refund of 0.25 is 1.7525, rounded 1.75.

    The second takes the 1.76 that are left, so that nothing stays of an order that is undone. The refunds
    of March use the rate of the order's own day, not the newer one.
    """
    result = run(
        orders=[
            order("o1", "2024-01-31", "0.50", currency_code="usd"),
            order("o2", "2024-02-01", "1", currency_code="USD"),
            order("o3", "2023-12-31", "1", currency_code="USD"),  # before the first rate
            order("o4", "2024-01-31", "1", currency_code="CNY"),
        ],
        refunds=[
            refund("r1", "o1", "2024-03-01", "0.25"),
            refund("r2", "o1", "2024-03-02", "0.25"),
        ],
        exchange_rates=[
            {"rate_date": "2024-01-01", "currency_code": "USD", "rate_to_reporting": "7.01"},
            {"rate_date": "2024-02-01 12:00", "currency_code": "usd", "rate_to_reporting": "8"},
            {"rate_date": "2023-01-01", "currency_code": "USD", "rate_to_reporting": "0"},
        ],
    )
    assert ledger(result) == [
        ("01-31", "01-31", 2, "4.51", "0.00"),
        ("02-01", "02-01", 1, "8.00", "0.00"),
        ("01-31", "03-01", 0, "-1.75", "1.75"),
        ("01-31", "03-02", -1, "-1.76", "1.76"),
    ]
    assert rejections(result) == [
        ("exchange_rates", "2023-01-01|USD", "rejected", "not_allowed", "rate_to_reporting"),
        ("orders", "o3", "rejected", "no_exchange_rate", "currency_code"),
    ]


# -- Time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "review_period", "start", "end"),
    [
        ("2024-02-10", "month", "2024-02-01", "2024-02-29"),
        ("2023-12-31", "month", "2023-12-01", "2023-12-31"),
        ("2024-02-29", "quarter", "2024-01-01", "2024-03-31"),
        ("2024-11-30", "quarter", "2024-10-01", "2024-12-31"),
        ("2024-01-03", "week", "2024-01-01", "2024-01-07"),  # 1 January 2024 was a Monday
        ("2023-12-31", "week", "2023-12-25", "2023-12-31"),
    ],
)
def test_calendar_periods(text: str, review_period: str, start: str, end: str) -> None:
    period = calendar_period(day(text), review_period)
    assert (period.period_start, period.period_end) == (day(start), day(end))


def test_periods_run_from_a_customers_first_order_to_as_of_date() -> None:
    tables = {
        "orders": [
            order("o1", "2024-01-15"),
            order("o2", "2024-03-10", customer=None),  # the newest order is a guest's
            order("o3", "2023-06-01", customer=None),  # guests start no period
            order("o4", "2024-03-20", status="pending"),
        ]
    }

    def ends(as_of_date: str) -> list[tuple[str, bool]]:
        result = run(rules(as_of_date=as_of_date), **tables)
        return [(str(p.period_end), p.is_open_period) for p in result.review_periods]

    january, february = ("2024-01-31", False), ("2024-02-29", False)
    assert ends("latest") == [january, february, ("2024-03-10", True)]
    assert ends("2024-02-29") == [january, february]
    assert ends("2024-02-28") == [january, ("2024-02-28", True)]
    assert ends("2024-01-14") == []
    assert ends("yesterday")[-1] == ("2029-12-31", False)  # the day before the run date


BEFORE_LATEST = order("o1", "2024-01-15")
CANCELLED = order("o1", "2024-01-15", status="cancelled", cancelled_at="2024-02-20")


@pytest.mark.parametrize(
    ("orders", "refunds", "latest"),
    [
        ([BEFORE_LATEST], [], "2024-01-15"),
        ([BEFORE_LATEST], [refund("r1", "o1", "2024-03-05", "30")], "2024-03-05"),
        ([CANCELLED], [], "2024-02-20"),
        ([CANCELLED | {"customer_id": None}], [], "2024-02-20"),
        ([BEFORE_LATEST | {"status": "returned", "returned_at": "2024-02-21"}], [], "2024-02-21"),
        # a return of after the run, which is that of 2030-01-01
        ([BEFORE_LATEST | {"status": "returned", "returned_at": "2030-01-02"}], [], "2024-01-15"),
        # refunds that take nothing: paid out after a cancellation, beyond the order's 100, of an
        # order that never counted
        ([CANCELLED], [refund("r1", "o1", "2024-03-05", "30")], "2024-02-20"),
        (
            [BEFORE_LATEST],
            [refund("r1", "o1", "2024-03-06", "100"), refund("r2", "o1", "2024-03-07", "1")],
            "2024-03-06",
        ),
        (
            [BEFORE_LATEST, order("o2", "2024-01-16", status="pending")],
            [refund("r1", "o2", "2024-03-05", "30")],
            "2024-01-15",
        ),
    ],
)
def test_latest_is_the_newest_day_of_an_order_that_counts_or_of_its_reversal(
    orders: list[Row], refunds: list[Row], latest: str
) -> None:
    assert str(run(orders=orders, refunds=refunds).as_of_date) == latest


def test_a_refund_after_the_last_order_counts() -> None:
    """Wholly given back on 5 March, the only order is undone as of that day, in an open period."""
    result = run(
        orders=[order("o1", "2024-01-15")], refunds=[refund("r1", "o1", "2024-03-05", "100")]
    )
    assert (result.orders["o1"].net_amount, result.orders["o1"].is_valid) == (0, False)
    row = result.customer_periods["A", day("2024-03-05")]
    assert (row.is_open_period, row.status) == (True, "prospect")
    assert (row.change_type, row.reason_code) == ("leave", "orders_undone")


def test_orders_after_as_of_date_are_not_there_yet() -> None:
    result = run(
        rules(as_of_date="2024-01-31"),
        orders=[order("o1", "2024-01-15"), order("o2", "2024-02-01")],
        refunds=[refund("r1", "o1", "2024-02-01", "100")],
    )
    row = result.customer_periods["A", day("2024-01-31")]
    assert (row.frequency, row.monetary, row.status) == (1, 100, "active")
    assert list(result.orders) == ["o1"]
    assert result.orders["o1"].is_valid
    assert result.customers["A"].lifetime_orders == 1
    assert result.rejected_records == []


def test_the_last_second_in_another_time_zone() -> None:
    """23:59:59 UTC on 31 January is 1 February in Shanghai: February's first second but one day."""
    made = [order("o1", "2024-01-31 15:59:59"), order("o2", "2024-01-31 23:59:59")]
    result = run(rules(business_time_zone="Asia/Shanghai", as_of_date="2024-02-29"), orders=made)
    january, february = (result.customer_periods["A", day(f"2024-{end}")] for end in
                         ("01-31", "02-29"))  # fmt: skip
    assert (january.frequency, february.frequency) == (1, 2)
    assert str(result.orders["o2"].order_date) == "2024-02-01"


# -- RFM -------------------------------------------------------------------------------------------


def test_the_window_excludes_its_365th_day() -> None:
    """2023-12-31 minus 365 days is 2022-12-31, which is out; 2023-01-01 is in."""
    result = run(
        rules(as_of_date="2023-12-31"),
        orders=[
            order("o1", "2022-12-31", customer="A"),
            order("o2", "2023-01-01", customer="B"),
            order("o3", "2023-12-31", customer="C", status="returned"),
        ],
    )
    a, b, c = (result.customer_periods[x, day("2023-12-31")] for x in "ABC")
    assert (a.status, a.frequency, a.monetary, a.recency_days) == ("lapsed", 0, 0, 365)
    assert (a.rfm_cell, a.segment_code, a.value_matrix_code) == ("111", "lapsed", "lapsed")
    assert (a.value_class, a.buyer_type, a.purchasing_power) == ("none", "none", "low")
    assert (b.status, b.frequency, b.recency_days) == ("active", 1, 364)
    assert (c.status, c.recency_days, c.rfm_cell, c.segment_code) == (
        "prospect", None, None, "prospect"
    )  # fmt: skip
    assert (c.management_score, c.tier_code, c.score_coverage) == (None, "none", None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Positions 0.8, 1.6, 2.4, 3.2 of five values.
        (["10", "20", "30", "40", "50"], ["18", "26", "34", "42"]),
        # Positions 0.2, 0.4, 0.6, 0.8 of two values; unsorted input; a fifth of a cent is exact.
        (["0.02", "0.01"], ["0.012", "0.014", "0.016", "0.018"]),
        (["7"], ["7"] * 4),
        (["1", "1", "1", "1", "5"], ["1", "1", "1", "1.8"]),
        ([], [None] * 4),
    ],
)
def test_quantiles_interpolate_linearly(values: list[str], expected: list[str | None]) -> None:
    edges = quantile_edges(map(Decimal, values))
    assert edges == tuple(None if edge is None else Decimal(edge) for edge in expected)


def test_scores_count_the_edges_strictly_below() -> None:
    """Five customers, amounts 10 to 50, days 0 to 4 before the period's end.

    monetary edges 18, 26, 34, 42; recency edges 0.8, 1.6, 2.4, 3.2; frequency edges all 1.
    """
    made = [
        order(f"o{n}", f"2024-01-{31 - n}", str(10 * (n + 1)), customer=f"C{n}") for n in range(5)
    ]
    result = run(rules(as_of_date="2024-01-31"), orders=made)
    cells = [result.customer_periods[f"C{n}", day("2024-01-31")].rfm_cell for n in range(5)]
    assert cells == ["511", "412", "313", "214", "115"]
    edges = {
        metric: result.rfm_score_edges[day("2024-01-31"), metric]
        for metric in ("recency", "frequency", "monetary")
    }
    assert edges["monetary"].edge_4 == 42
    assert [edges[metric].distinct_edges for metric in edges] == [4, 1, 4]
    assert edges["recency"].customers == 5
    assert edges["recency"].is_small_population
    assert edges["recency"].method == "quantile"


def test_equal_values_get_equal_scores() -> None:
    """All ties: every edge equals every value, none is strictly below."""
    made = [order(f"o{n}", "2024-01-10", customer=f"C{n}") for n in range(7)]
    result = run(rules(as_of_date="2024-01-31"), orders=made)
    assert {row.rfm_cell for row in result.customer_periods.values()} == {"511"}


def test_fixed_edges() -> None:
    """Recency edge 30: thirty days score 5, thirty-one 4. The seed's edges are every period's."""
    made = [order("o1", "2024-01-01", "100"), order("o2", "2024-01-01", "0.01")]
    result = run(rules(rfm_edges="fixed", as_of_date="2024-02-01"), orders=made)
    closed, still_open = (result.customer_periods["A", day(f"2024-0{end}")] for end in
                          ("1-31", "2-01"))  # fmt: skip
    assert (closed.recency_days, closed.rfm_cell) == (30, "522")  # 2 orders > 1; 100.01 > 100
    assert (still_open.recency_days, still_open.rfm_cell) == (31, "422")
    edges = result.rfm_score_edges[day("2024-01-31"), "recency"]
    assert (edges.method, edges.edge_1, edges.edge_4, edges.customers) == ("fixed", 30, 270, 1)


def test_monetary_at_or_below_zero_scores_one() -> None:
    """Edges below zero would give 0 a score of 5."""
    given = rules(rfm_edges="fixed")
    edges = given.fixed_edges | {"monetary": tuple(map(Decimal, (-4, -3, -2, -1)))}
    result = run(replace(given, fixed_edges=edges), orders=[order("o1", "2024-01-31", "0")])
    assert result.customer_periods["A", day("2024-01-31")].m_score == 1


def test_frozen_edges() -> None:
    """Monetary in December: 10, edges 10; in January: 10 and 20, edges 12, 14, 16, 18, frozen."""
    made = [
        order("o1", "2023-12-10", "10", customer="A"),
        order("o2", "2024-01-10", "20", customer="B"),
        order("o3", "2024-02-10", "900", customer="C"),
    ]
    given = rules(rfm_edges="frozen", rfm_edges_frozen_on="2024-01-31", as_of_date="2024-02-29")
    result = run(given, orders=made)
    edges = [
        result.rfm_score_edges[day(end), "monetary"]
        for end in ("2023-12-31", "2024-01-31", "2024-02-29")
    ]
    assert [(e.method, e.customers) for e in edges] == [
        ("quantile", 1),
        ("frozen", 2),
        ("frozen", 3),
    ]
    assert [e.edge_1 for e in edges] == [10, 12, 12]
    assert [e.distinct_edges for e in edges] == [1, 4, 4]
    assert result.customer_periods["B", day("2024-02-29")].m_score == 5

    with pytest.raises(ValueError, match="2024-02-10"):
        run(replace(given, rfm_edges_frozen_on=day("2024-02-10")), orders=made)


def test_a_period_in_which_nobody_bought_has_no_quantiles() -> None:
    result = run(
        rules(as_of_date="2024-01-31"), orders=[order("o1", "2024-01-10", status="returned")]
    )
    edges = result.rfm_score_edges[day("2024-01-31"), "frequency"]
    assert (edges.edge_1, edges.edge_4, edges.customers, edges.distinct_edges) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("cell", "segment", "matrix", "value_class", "buyer_type", "power", "band"),
    [
        ((5, 4, 1), "champions", "general_value", "important", "regular", "low", "high"),
        ((3, 5, 5), "loyal", "important_keep", "core", "high_value", "high", "high"),
        ((5, 1, 3), "new_customers", "general_develop", "potential", "occasional", "medium", "low"),
        ((1, 5, 4), "cant_lose", "important_keep", "important", "regular", "high", "high"),
        ((2, 1, 5), "hibernating", "important_win_back", "important", "high_value", "high", "low"),
        ((3, 3, 3), "need_attention", "general_win_back", "none", "occasional", "medium", "medium"),
    ],
)
def test_segments_and_bands(
    cell: tuple[int, ...], segment: str, matrix: str, value_class: str, buyer_type: str,
    power: str, band: str,
) -> None:  # fmt: skip
    given = rules()
    assert first_code(given.segment_maps["standard"], cell) == segment
    assert first_code(given.segment_maps["value_matrix"], cell) == matrix
    codes = {name: first_code(cells, cell) for name, cells in given.bands.items()}
    assert codes == {
        "value_class": value_class, "buyer_type": buyer_type, "purchasing_power": power,
        "purchase_frequency_band": band,
    }  # fmt: skip


# -- Scores ----------------------------------------------------------------------------------------


def test_contribution() -> None:
    """Of five: p = 0, 1/4, 1/2, 3/4, 1; sqrt(3/4) = 0.866025, sqrt(1/2) = 0.707107."""
    expected = ["0", "13.40", "29.29", "50", "100"]
    assert [contribution(rank, 5) for rank in range(1, 6)] == [Decimal(x) for x in expected]
    assert contribution(1, 1) == 0


def test_contribution_rounds_half_up_exactly() -> None:
    """1 - p = s x s with s = 3/4 - 1/20000 gives 25.005, half way: up to 25.01.

    s = 14999/20000, so (n - rank)/(n - 1) = 14999^2/20000^2: n - 1 = 4 x 10^8.
    """
    assert contribution(400_000_001 - 14999**2, 400_000_001) == Decimal("25.01")
    assert contribution(400_000_001 - 14999**2 - 1, 400_000_001) == Decimal("25.00")


def test_equal_amounts_share_the_lowest_rank() -> None:
    made = [order(f"o{n}", "2024-01-31", amount, customer=f"C{n}")
            for n, amount in enumerate(("10", "10", "20"))]  # fmt: skip
    result = run(orders=made)
    values = [result.customer_periods[f"C{n}", day("2024-01-31")].values for n in range(3)]
    assert [value["contribution"] for value in values] == [0, 0, 100]


def test_rounding_of_normalised_values() -> None:
    assert rounded(200, 3) == Decimal("66.67")  # repeat rate of three orders
    assert rounded(100 * 371, 1095) == Decimal("33.88")  # 33.8813
    assert rounded(1, 200) == Decimal("0.01")  # 0.005 goes up


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        # 1/3 each: 0.333333, and 0.000001 left for the first of the heaviest.
        ({"a": "0.2", "b": "0.2", "c": "0.2"}, ["0.333334", "0.333333", "0.333333"]),
        # 1/7, 3/7, 3/7: 0.142857, 0.428571, 0.428571 sum to 0.999999.
        ({"a": "0.1", "b": "0.3", "c": "0.3"}, ["0.142857", "0.428572", "0.428571"]),
        # 1/6 each: 0.166667, which is 0.000002 too much.
        (dict.fromkeys("abcdef", "1"), ["0.166665"] + ["0.166667"] * 5),
        ({"a": "0", "b": "0.5"}, ["0", "1"]),
    ],
)
def test_weights_are_renormalised_to_one(weights: dict[str, str], expected: list[str]) -> None:
    shares = renormalise({name: Decimal(weight) for name, weight in weights.items()})
    assert list(shares.values()) == [Decimal(share) for share in expected]
    assert sum(shares.values()) == 1


def test_stars_from_their_cut_off_on() -> None:
    cases = {"0": 1, "19.99": 1, "20": 2, "79.999999": 4, "80": 5, "100": 5}
    assert {text: star_rating(Decimal(text), rules()) for text in cases} == cases
    assert star_rating(None, rules()) is None


def test_weights_of_nothing_known_are_none() -> None:
    assert renormalise({}) == {}
    assert renormalise({"balance": Decimal(0)}) == {}


def test_a_whole_score_by_hand() -> None:
    """P = 2024-06-30, P - 365 = 2023-07-01, P - 182 = 2023-12-31; fixed edges.

    recency 10 days: r 5, 100. frequency 2 (edge 1 below): f 2, 25. monetary 500 (100, 300 below):
    m 3, 50. contribution of one customer: 0. revenue_trend: h1 = 0, h2 = 500, f = 2: 1 x 2/4, 75.
    repeat_rate: 50. tenure: 2023-06-15 to 2024-06-20 is 371 days: 33.88.
    Level 1: 0.64, 0.04, 0.12 of 0.80 are 0.80, 0.05, 0.15. Level 2: value 0.2, 0.2, 0.2, 0.4;
    growth 1; loyalty 0.4, 0.4 of 0.8 are 0.5, 0.5.
    value = 20 + 5 + 10 + 0 = 35; growth = 75; loyalty = 25 + 16.94 = 41.94.
    Score = 28 + 3.75 + 6.291 = 38.041. Coverage = 0.64 + 0.04 + 0.12 x 0.8 = 0.776.
    """
    result = run(
        rules(rfm_edges="fixed", as_of_date="2024-06-30"),
        orders=[
            order("o1", "2023-06-15", "100"),
            order("o2", "2024-01-10", "200"),
            order("o3", "2024-06-20", "300"),
        ],
    )
    row = result.customer_periods["A", day("2024-06-30")]
    assert row.values == {
        "recency": 100, "frequency": 25, "monetary": 50, "contribution": 0, "revenue_trend": 75,
        "repeat_rate": 50, "tenure": Decimal("33.88"),
    }  # fmt: skip
    assert (row.value_score, row.growth_score, row.loyalty_score) == (35, 75, Decimal("41.94"))
    assert (row.satisfaction_score, row.engagement_score, row.partnership_score) == (None,) * 3
    assert row.management_score == Decimal("38.041")
    assert row.score_coverage == Decimal("0.776")
    assert row.star_rating == 2
    assert row.weights["contribution"] == Decimal("0.32")
    assert row.input_values["revenue_trend"] == Fraction(1, 2)
    details = result.score_details
    assert len(details) == 19
    assert details["A", "value", "recency"].points == 16
    assert details["A", "loyalty", "referrals"].normalised_value is None
    assert sum(detail.points for detail in details.values()) == row.management_score


def test_weights_when_growth_is_unknown() -> None:
    """One order on the day: value 0.64 and loyalty 0.12 of 0.76 are 0.842105 and 0.157895.

    Only recency has points: 0.842105 x 0.2 x 100 = 16.8421.
    """
    row = run(orders=[order("o1", "2024-01-31")]).customer_periods["A", day("2024-01-31")]
    assert row.management_score == Decimal("16.8421")
    assert row.score_coverage == Decimal("0.736")


def trend_of(*made: Row) -> Decimal | None:
    """Normalised revenue trend at 2024-12-31 (P - 365 is 2024-01-01, P - 182 is 2024-07-02)."""
    result = run(rules(as_of_date="2024-12-31"), orders=list(made))
    return result.customer_periods["A", day("2024-12-31")].values.get("revenue_trend")


def test_revenue_trend() -> None:
    before = order("o0", "2023-12-15")
    first_half = [order("o1", "2024-01-02"), order("o2", "2024-07-02")]
    second_half = order("o3", "2024-07-03", "300")
    # h1 = 200, h2 = 300, f = 3: 50 + 50 x 100/500 x 3/5 = 56.
    assert trend_of(before, *first_half, second_half) == 56
    # A first order on P - 365 is early enough, and in neither half.
    assert trend_of(order("o0", "2024-01-01"), *first_half, second_half) == 56
    # A first order after it is too late.
    assert trend_of(*first_half, second_half) is None
    # That order undone, the first one known now is too late again.
    undone = before | {"status": "returned"}
    assert trend_of(undone, *first_half, second_half) is None
    # No revenue in either half; nothing in the window at all (lapsed).
    assert trend_of(before, order("o1", "2024-05-01", "0")) is None
    assert trend_of(before) is None


def test_a_lapsed_customer_keeps_tenure_only() -> None:
    """Orders a year apart: 365 of 1095 days, 33.33; loyalty is half of it, its weight 0.157895."""
    made = [order("o1", "2021-01-01"), order("o2", "2022-01-01")]
    result = run(rules(as_of_date="2023-12-31"), orders=made)
    row = result.customer_periods["A", day("2023-12-31")]
    assert row.status == "lapsed"
    assert row.values == {
        "recency": 0, "frequency": 0, "monetary": 0, "contribution": 0, "repeat_rate": 0,
        "tenure": Decimal("33.33"),
    }  # fmt: skip
    assert row.management_score == Decimal("0.157895") * Decimal("16.665")
    assert row.value_score == 0


def item(order_id: str, line: int, product_id: str, amount: str | None = "10") -> Row:
    """A raw order line."""
    return {"order_id": order_id, "line_number": str(line), "product_id": product_id,
            "line_amount": amount}  # fmt: skip


PRODUCTS: list[Row] = [
    {"product_id": "P1", "category": "Books", "product_type": "product"},
    {"product_id": "P2", "category": "Toys", "product_type": "SERVICE"},
    {"product_id": "P3", "category": None, "product_type": "solution"},
]


def test_categories() -> None:
    """Unknown in January (no category yet), then counted over valid orders of the window.

    Points 100 x n/5. The partnership's weight is 0 in `retail`: it has a score but no points.
    In March 20 of 40 are of services and solutions: 50. With weights of .5 and .25, which are
    .666667 and .333333, that is 26.66668 + 16.66665.
    """
    result = run(
        rules(as_of_date="2025-03-31"),
        orders=[
            order("o1", "2024-01-10"),
            order("o2", "2024-02-10", customer=None),
            order("o3", "2024-03-10"),
            order("o4", "2024-03-11"),
        ],
        order_items=[
            item("o1", 1, "P3"),
            item("o1", 2, "no such product"),
            item("o2", 1, "P1"),  # a guest's: not yet a source
            item("o3", 1, "P1"),
            item("o3", 2, "P1"),
            item("o4", 1, "P2"),
        ],
        refunds=[refund("r4", "o4", "2024-04-15", "100")],  # o4 undone in April
        products=PRODUCTS,
    )
    counts = {
        end: result.customer_periods["A", day(end)].input_values["categories"]
        for end in ("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2025-02-28",
                    "2025-03-31")
    }  # fmt: skip
    assert list(counts.values()) == [None, None, 2, 1, 1, 0]
    march = result.customer_periods["A", day("2024-03-31")]
    assert march.values["categories"] == 40
    assert march.partnership_score == Decimal("43.33333")
    assert march.weights["categories"] == 0
    assert march.score_coverage == Decimal("0.736")


@pytest.mark.parametrize(("as_of_date", "expected"), [("2025-03-09", 2), ("2025-03-10", 1)])
def test_categories_of_the_window_only(as_of_date: str, expected: int) -> None:
    """10 March 2024 is 364 days before 9 March 2025."""
    result = run(
        rules(as_of_date=as_of_date),
        orders=[order("o1", "2024-03-10"), order("o2", "2024-03-11")],
        order_items=[item("o1", 1, "P1"), item("o2", 1, "P2")],
        products=PRODUCTS,
    )
    assert result.customer_periods["A", day(as_of_date)].input_values["categories"] == expected


# -- Scores: what customers say and do -------------------------------------------------------------

# At this period end the window starts after 2024-01-01, the last half year after 2024-07-02.
P = "2024-12-31"


def at(
    as_of_date: str = P, given: Rules | None = None, **tables: list[Row]
) -> marts.CustomerPeriodRow:
    """A's row of a period end; A has an order of June 2024 unless said otherwise."""
    tables = {"orders": [order("o1", "2024-06-01")]} | tables
    given = replace(given or rules(), as_of_date=as_of_date)
    return run(given, **tables).customer_periods["A", day(as_of_date)]


def value(name: str, as_of_date: str = P, **tables: list[Row]) -> Decimal | None:
    """A's normalised value of an input."""
    return at(as_of_date, **tables).values.get(name)


def nps(*answers: Row, as_of_date: str = P) -> Decimal | None:
    return value("nps", as_of_date, survey_responses=list(answers))


def test_nps_is_the_newest_answer_of_the_window() -> None:
    assert nps(answer("V1", "2024-01-01 23:59:59", "nps", "9")) is None
    assert nps(answer("V1", "2024-01-02", "nps", "9")) == 90
    assert nps(answer("V1", "2024-12-31 23:59:59", "nps", "0")) == 0  # known, not unknown
    assert nps(answer("V1", "2025-01-01", "nps", "9")) is None
    assert nps(answer("V1", "2024-05-01", "nps", "9"), answer("V2", "2024-05-02", "nps", "3")) == 30
    assert nps(answer("V1", "2024-05-01", "nps", "9"), answer("V2", "2024-05-02", "csat", "3"),
               answer("V3", "2024-05-03", None, "3")) == 90  # fmt: skip
    # A year later the answer is out of the window.
    assert nps(answer("V1", "2024-05-01", "nps", "9"), as_of_date="2025-05-01") is None
    assert at(survey_responses=[answer("V1", "2024-05-01", "nps", "7")]).input_values["nps"] == 7


def test_of_answers_at_one_instant_the_largest_id_in_byte_order_counts() -> None:
    first = answer("V9", "2024-05-01T08:00+08:00", "nps", "4")
    assert nps(first, answer("V10", "2024-05-01 00:00", "nps", "8")) == 40
    assert nps(first, answer("É", "2024-05-01 00:00", "nps", "8")) == 80
    assert nps(answer("V1", "2024-05-01 00:00:01", "nps", "8"), first) == 80


def test_of_facts_with_one_key_the_smallest_text_stays() -> None:
    made = [answer("V1", "2024-05-01", "nps", "9"), answer("V1", "2024-05-01", "nps", "10")]
    assert nps(*made) == nps(*made[::-1]) == 100  # "10" before "9"
    assert nps(made[0], answer("V1", "2024-05-01", "nps", "11")) == 90  # a bad row is no duplicate


def rated(
    ticket_id: str, opened_at: str, closed_at: str | None, score: str, customer: str = "A"
) -> Row:
    """A question that was answered and rated."""
    return ticket(ticket_id, opened_at, "question", closed_at, customer, satisfaction_score=score)


def test_csat_is_the_mean_of_surveys_and_tickets() -> None:
    """(4 + 5 + 1)/3 = 10/3; 25 x 7/3 = 58.33. A ticket's score is known when it is closed."""
    row = at(
        survey_responses=[
            answer("V1", "2024-01-01", "csat", "1"),
            answer("V2", "2024-01-02", "csat", "4"),
            answer("V3", P, "csat", "5"),
            answer("V4", "2024-05-01", "nps", "1"),
        ],
        tickets=[
            rated("T1", "2020-01-01", "2024-01-02", "1"),
            rated("T2", "2020-01-01", "2024-01-01", "2"),
            rated("T3", "2024-06-01", "2025-01-01", "2"),
            rated("T4", "2020-01-01", None, "2"),
            rated("T5", "2024-06-01", "2024-06-01", "2", "B"),
            ticket("T6", "2024-06-01", "question"),
        ],
        customers=[{"customer_id": "B"}],
    )
    assert row.values["csat"] == Decimal("58.33")
    assert row.input_values["csat"] == Fraction(10, 3)

    def csat(*tickets: Row) -> Decimal | None:
        return value("csat", tickets=list(tickets))

    assert csat() is None
    assert csat(rated("T1", "2024-01-02", "2023-12-01", "3")) == 50  # not before it was opened
    assert csat(rated("T1", "2024-01-02", None, "1")) == 0  # never closed: known when opened
    assert csat(rated("T1", "2024-01-01", None, "5")) is None
    # 9/8: 25 x 1/8 = 3.125.
    ones = [rated(f"T{n}", "2024-06-01", None, "1") for n in range(7)]
    assert csat(*ones, rated("T8", "2024-06-01", None, "2")) == Decimal("3.13")


def complaints(*tickets: Row, as_of_date: str = P) -> tuple[int | None, Decimal | None]:
    """Number and value."""
    row = at(as_of_date, tickets=list(tickets), customers=[{"customer_id": "B"}])
    return row.input_values.get("complaints"), row.values.get("complaints")


def test_complaints_of_the_window_and_open_ones() -> None:
    def one(opened_at: str, closed_at: str | None) -> int | None:
        return complaints(ticket("T1", opened_at, "Complaint", closed_at))[0]

    assert one("2024-01-01", P) == 0  # before the window, and closed by P
    assert one("2024-01-01", "2025-01-01") == 1  # before the window, still open
    assert one("2015-01-01", None) == 1
    assert one("2024-01-02", "2024-01-02") == 1  # in the window, closed
    assert one("2024-01-02", "2025-01-01") == 2  # in the window, and still open
    assert one(P, "2023-01-01") == 1  # closed on the day it was opened, not before it
    assert one("2025-01-01", None) is None  # the first ticket of all, not yet there
    others = [ticket("T2", "2024-05-01", kind) for kind in ("question", "suggestion", "praise")]
    assert complaints(*others) == (0, 100)
    # Two in the window, one of them open: 100/4.
    made = [ticket("T1", "2024-05-01", "complaint"), ticket("T2", "2024-05-01", "complaint", P)]
    assert complaints(*made) == (3, 25)
    assert complaints(made[0]) == (2, Decimal("33.33"))


def test_complaints_are_unknown_before_the_first_ticket_of_any_customer() -> None:
    made = ticket("T1", P, "question", customer="B")
    assert complaints(made) == (0, 100)
    assert complaints(made, as_of_date="2024-12-30") == (None, None)
    assert complaints(made | {"customer_id": "nobody"}) == (None, None)
    assert complaints() == (None, None)


def test_referrals_count_when_they_convert() -> None:
    def referrals(*made: Row, as_of_date: str = P) -> Decimal | None:
        customers = [{"customer_id": "B"}]
        return value("referrals", as_of_date, referrals=list(made), customers=customers)

    made = [referral(f"F{n}", "2023-05-01", "2024-01-02") for n in range(4)]
    values = [referrals(*made[:count]) for count in range(5)]
    assert values == [None, Decimal("33.33"), Decimal("66.67"), 100, 100]
    assert referrals(referral("F1", "2023-05-01", "2024-01-01")) == 0
    assert referrals(referral("F1", "2023-05-01", "2025-01-01")) == 0
    assert referrals(referral("F1", "2023-05-01")) == 0
    assert referrals(referral("F1", "2024-02-01", "2023-05-01")) == Decimal("33.33")
    # Known from the first referral that anybody made; B's own conversions are not A's.
    others = referral("F1", P, P, customer="B", referred_customer_id="A")
    assert referrals(others) == 0
    assert referrals(others, as_of_date="2024-12-30") is None


def interaction_counts(*made: Row, as_of_date: str = P) -> dict[str, int]:
    """A's counts of interactions; B, of whom there may be some too, has no order."""
    row = at(as_of_date, interactions=list(made), customers=[{"customer_id": "B"}])
    return {name: row.input_values[name] for name in INTERACTION_INPUTS}


def test_active_days() -> None:
    def days(*made: Row, as_of_date: str = P) -> int:
        return interaction_counts(*made, as_of_date=as_of_date)["active_days"]

    first = interaction("I1", "2024-01-02 08:00", interaction_type="usage")
    assert days(first, first | {"interaction_id": "I2", "occurred_at": "2024-01-02"}) == 1
    assert days(first | {"occurred_at": "2024-01-01"}) == 0
    assert days(first | {"occurred_at": "2025-01-01"}) == 0
    assert days(first | {"customer_id": "B"}) == 0
    dates = [str(day("2024-02-01") + timedelta(days=n)) for n in range(60)]
    assert days(*(interaction(f"I{n}", at) for n, at in enumerate(dates))) == 60


def test_channels() -> None:
    """Their texts are told apart by case."""

    def channels(*names: str | None) -> int:
        made = [interaction(f"I{n}", "2024-05-01", channel=c) for n, c in enumerate(names)]
        return interaction_counts(*made)["channels"]

    assert [channels(), channels(None, "", "  ")] == [0, 0]
    assert channels("app", " app ", "", None) == 1
    assert channels("app", "App", "store") == 3


def test_usage_time() -> None:
    """Seconds, of usage alone."""

    def usage(*seconds: str | None, kind: str = "usage", on: str = "2024-05-01") -> int:
        made = [
            interaction(f"I{n}", on, interaction_type=kind, duration_seconds=text)
            for n, text in enumerate(seconds)
        ]
        return interaction_counts(*made)["usage_time"]

    assert usage("36000", "1800", None, "-5") == 37800
    assert usage("86400000") == 86400000
    assert usage("0") == usage(None) == 0
    assert usage("36000", kind="USAGE") == 36000
    assert usage("36000", kind="visit") == 0
    assert usage("36000", on="2024-01-01") == usage("36000", on="2025-01-01") == 0


def test_contact_regularity() -> None:
    """Calendar months of contacts. Usage is none, what is of no known type is."""

    def months(*days: str, kind: str | None = "call", as_of_date: str = P) -> int:
        made = [interaction(f"I{n}", on, interaction_type=kind) for n, on in enumerate(days)]
        return interaction_counts(*made, as_of_date=as_of_date)["contact_regularity"]

    assert months("2024-12-01", P) == 1
    assert months("2024-11-30", "2024-12-01", "2024-01-01") == 2
    assert months(P, kind="usage") == 0
    assert months(P, kind=None) == months(P, kind="fax") == 1
    # The year after 2024-01-10 touches thirteen months.
    year = [f"2024-{month:02d}-11" for month in range(1, 13)]
    assert months(*year, "2025-01-09", as_of_date="2025-01-09") == 13
    assert months(*year[:6], as_of_date="2025-01-11") == 5


def test_coverage_is_in_whole_per_cent() -> None:
    """1 of 200 is 0.5 %, 1 of 201 less; 2 of 3 are 66.7 %."""
    assert [coverage([0] * others + [7]) for others in (199, 200)] == [1, 0]
    assert [coverage(counts) for counts in ([], [0], [3], [0, 1, 9])] == [0, 0, 100, 67]


def visits(**days_of: int) -> list[Row]:
    """Visits on so many days of May, by customer."""
    return [
        interaction(f"{customer}{n}", f"2024-05-{n:02}", customer)
        for customer, days in days_of.items()
        for n in range(1, days + 1)
    ]


def test_counts_are_worth_their_rank_among_customers_with_orders_in_the_window() -> None:
    """A, B, C and D bought in the window and came on 0, 1, 1 and 3 days; L and M bought before it.

    0: half of one of four, 12.5. 1: one below and half of two, 50. 3: three and a half, 87.5.
    M came on 2 days: three of the four came on fewer, 75. L on none: 0. X only came: no customer
    with an order, and no part of the four.
    """

    def found(**days_of: int) -> tuple[list[Decimal | None], Decimal, list[Any]]:
        orders = [order(f"o{c}", "2024-06-01", customer=c) for c in "ABCD"]
        orders += [order(f"o{c}", "2023-01-31", customer=c) for c in "LM"]
        result = run(
            rules(as_of_date=P),
            orders=orders,
            customers=[{"customer_id": "X"}],
            interactions=visits(**days_of),
        )
        rows = [result.customer_periods[c, day(P)] for c in "ABCDLM"]
        details = [result.score_details[c, "engagement", "active_days"] for c in "ABCDLM"]
        return (
            [row.values.get("active_days") for row in rows],
            details[0].coverage,
            [detail.input_value for detail in details],
        )

    hundred = Decimal(100)
    values, covered, days = found(B=1, C=1, D=3, M=2, X=9)
    assert values == [hundred / 8, 50, 50, hundred * 7 / 8, 0, 75]
    assert (covered, days) == (Decimal("0.75"), [0, 1, 1, 3, 0, 2])
    # Everybody equal, and everybody another: 12.5, 37.5, 62.5 and 87.5.
    assert found(A=2, B=2, C=2, D=2)[0] == [50, 50, 50, 50, 0, 0]
    values, covered, _ = found(A=1, B=2, C=3, D=4, L=4, M=9)
    assert values == [hundred * n / 8 for n in (1, 3, 5, 7, 7, 8)]
    assert covered == 1
    # Of those who count nobody came: unknown for all, and what M did is shown.
    assert found(M=2, X=9) == ([None] * 6, 0, [0, 0, 0, 0, 0, 2])


def test_of_one_customer_the_rank_is_the_middle() -> None:
    assert value("active_days", interactions=visits(A=1)) == 50
    lapsed = {"orders": [order("o1", "2023-01-31")], "interactions": visits(A=1)}
    assert "active_days" not in at(**lapsed).values  # nobody to compare with


def test_weights_by_coverage() -> None:
    """Subscription, active_days known of 50 % and usage_time of 10 %, channels of none.

    Inside engagement .5 x .5 = .25 and .4 x .1 = .04: .862069 and .137931. Engagement itself .2 x .5
    = .1, with .5, .05 and .15 of .8 in all: .125, .625, .0625 and .1875.
    Coverage .5 + .05 + .15 x (.3 + .5) + .2 x (.25 + .04) = .728.
    """
    orders = {"recency", "frequency", "monetary", "contribution", "revenue_trend", "repeat_rate",
              "tenure"}  # fmt: skip
    known = frozenset(orders | {"active_days", "usage_time"})
    weights = weights_of(known, (50, 0, 10, 0), rules(score_profile="subscription"))
    assert weights.level_2["engagement"] == {
        "active_days": Decimal("0.862069"), "usage_time": Decimal("0.137931")
    }  # fmt: skip
    assert weights.level_1 == {
        "value": Decimal("0.625"), "growth": Decimal("0.0625"), "loyalty": Decimal("0.1875"),
        "engagement": Decimal("0.125"),
    }  # fmt: skip
    assert weights.coverage == Decimal("0.728")


def test_an_input_of_other_sources_keeps_the_weight_of_its_component() -> None:
    """b2b, contacts with 20 %: .3 x .2 = .06 beside .4 of categories; .15 stays .15.

    .06/.46 = .130435. Without categories contacts are all of partnership, which is .15 x .2 = .03
    beside value's .55: .03/.58 = .051724.
    """
    b2b = rules(score_profile="b2b")
    both = weights_of(
        frozenset({"recency", "categories", "contact_regularity"}), (0, 0, 0, 20), b2b
    )
    assert both.level_2["partnership"]["contact_regularity"] == Decimal("0.130435")
    assert both.level_1["partnership"] == Decimal("0.214286")
    alone = weights_of(frozenset({"recency", "contact_regularity"}), (0, 0, 0, 20), b2b)
    assert alone.level_2["partnership"] == {"contact_regularity": 1}
    assert alone.level_1["partnership"] == Decimal("0.051724")


@pytest.mark.parametrize("profile", sorted(rules().profiles))
def test_a_source_that_begins_to_speak_moves_no_component_far(profile: str) -> None:
    """From 0 to 1 % coverage: at most a fiftieth of a component's seed weight, whatever is known."""
    given = rules(score_profile=profile)
    orders = {"recency", "frequency", "monetary", "contribution", "repeat_rate", "tenure"}
    others = ("revenue_trend", "nps", "complaints", "referrals", "categories", "demand_breadth")
    for count in range(len(others) + 1):
        known = orders | set(others[:count])
        for thin in itertools.product((0, 1), repeat=4):
            heard = {
                name for name, percent in zip(INTERACTION_INPUTS, thin, strict=True) if percent
            }
            before = weights_of(frozenset(known), (0, 0, 0, 0), given)
            after = weights_of(frozenset(known | heard), thin, given)
            for component in given.components:
                name = component.component
                moved = abs(after.level_1.get(name, 0) - before.level_1.get(name, 0))
                assert moved <= component.weight / 50 + Decimal("0.000002"), (name, known, thin)


def test_demand_breadth() -> None:
    """10 of P2 and 2 x 10 of P3, of 60 with P1's 30 (of no type, of no window, undone: no part)."""
    tables = {
        "orders": [
            order("o1", "2024-01-02"),
            order("o2", P, currency_code="USD"),
            order("o3", "2024-01-01"),
            order("o4", "2024-05-01"),
            order("o5", "2024-05-01", customer="B"),
        ],
        "order_items": [
            item("o1", 1, "P1", "30"),
            item("o1", 2, "P2", "10"),
            item("o1", 3, "P2", None),
            item("o1", 4, "no such product", "70"),
            item("o2", 1, "P3", "10"),
            *(item(order_id, 1, "P2", "500") for order_id in ("o3", "o4", "o5")),
        ],
        "products": PRODUCTS,
        "exchange_rates": [
            {"rate_date": "2024-01-01", "currency_code": "USD", "rate_to_reporting": "2"}
        ],
        # Part of an order's money back changes nothing; all of it undoes the order.
        "refunds": [refund("r1", "o1", "2024-06-01", "60"), refund("r4", "o4", P, "100")],
    }
    row = at(**tables)
    assert (row.input_values["demand_breadth"], row.values["demand_breadth"]) == (
        Fraction(1, 2), 50
    )  # fmt: skip
    # The day before: o2 is not there, o3 is in the window, o4 not undone. 1010 of 30 + 1010.
    row = at("2024-12-30", **tables)
    assert row.input_values["demand_breadth"] == Fraction(1010, 1040)
    assert row.values["demand_breadth"] == Decimal("97.12")


def test_demand_breadth_is_cut_and_unknown_without_money() -> None:
    def breadth(**amounts: str | None) -> Decimal | None:
        items = [item("o1", n, product, text) for n, (product, text) in enumerate(amounts.items())]
        return value("demand_breadth", order_items=items, products=PRODUCTS)

    assert breadth(P1="-5", P2="10") == 100
    assert breadth(P1="10", P2="-5") == 0
    assert breadth(P1="10") == 0
    assert breadth(P1="2", P3="1") == Decimal("33.33")
    assert breadth(P1="-10", P2="10") is None
    assert breadth(P1="-10", P2="5") is None
    assert breadth(P2=None) is None
    assert breadth() is None


def test_new_categories() -> None:
    """Books of 2 July are old, Toys of 3 July are new: 100 x 1/2."""

    def new(*days: str, as_of_date: str = P, **more: list[Row]) -> int | None:
        """Orders of Books, Toys, Food, Music in turn."""
        names = ("Books", "Toys", "Food", "Music")
        tables = {
            "orders": [order(f"o{n}", on) for n, on in enumerate(days)],
            "order_items": [item(f"o{n}", 1, f"P{n}") for n in range(len(days))],
            "products": [{"product_id": f"P{n}", "category": c} for n, c in enumerate(names)],
        } | more
        row = at(as_of_date, **tables)
        points = {None: None, 0: 0, 1: 50, 2: 100, 3: 100}
        count = row.input_values.get("new_categories")
        assert row.values.get("new_categories") == points[count]
        return count

    assert new("2024-07-02", "2024-07-03") == 1
    assert new("2024-07-02", "2024-07-02") == 0
    assert new("2024-07-03", "2024-07-03") is None  # no half year to compare with
    assert new("2024-07-02", P, P, P) == 3
    assert new("2024-07-02", P, as_of_date="2024-12-30") is None  # P - 182 is 1 July
    assert new("2020-01-01", P) == 1  # old, however old
    # Toys again: bought before.
    again = [order("o0", "2024-06-01"), order("o1", "2024-07-02"), order("o2", P)]
    items = [item("o0", 1, "P0"), item("o1", 1, "P1"), item("o2", 1, "P1"), item("o2", 2, "P2")]
    assert new(orders=again, order_items=items) == 1
    # The older order of Toys is undone: they are new. What is new is undone: it is not there.
    assert new(orders=again, order_items=items, refunds=[refund("r1", "o1", P, "100")]) == 2
    assert new(orders=again, order_items=items, refunds=[refund("r2", "o2", P, "100")]) == 0
    # The first valid order as known at P is too late.
    undone = [refund("r0", "o0", P, "100")]
    assert new("2024-07-02", "2024-07-03", refunds=undone) is None


def test_new_categories_need_half_a_year_of_categories() -> None:
    """A's old order tells no category; whether one was known at the time, B's orders say."""

    def new(b_on: str) -> int | None:
        row = at(
            orders=[order("o1", "2024-01-05"), order("o2", P), order("oB", b_on, customer="B")],
            order_items=[item("o2", 1, "P1"), item("oB", 1, "P2")],
            products=PRODUCTS,
        )
        return row.input_values.get("new_categories")

    assert [new("2024-07-02"), new("2024-07-03")] == [1, None]


def test_signals_follow_merges_and_the_window() -> None:
    """B is A in all of history; facts before the first order count; the var sets the window."""
    tables = {
        "orders": [order("o1", "2024-12-31")],
        "customer_merges": [merge("B", "A", "2025-06-01")],
        "interactions": [interaction("I1", "2024-11-02", "B"), interaction("I2", "2024-11-01")],
        "survey_responses": [answer("V1", "2024-11-01", "nps", "9", "B")],
        "referrals": [referral("F1", "2024-11-02", P, customer="B")],
        "tickets": [ticket("T1", "2024-11-02", "complaint", customer="B")],
    }
    row = at(**tables)
    assert {name: row.input_values[name] for name in ("active_days", "nps", "referrals",
                                                      "complaints")} == {
        "active_days": 2, "nps": 9, "referrals": 1, "complaints": 2
    }  # fmt: skip
    # 60 days before P is 1 November: what is of that day is out.
    row = at(given=rules(rfm_window_days=60), **tables)
    assert row.input_values["active_days"] == 1
    assert "nps" not in row.values


def test_days_of_facts_are_business_dates() -> None:
    late = [interaction("I1", "2024-12-31 16:00")]
    zone = rules(source_time_zone="UTC", business_time_zone="Asia/Shanghai")
    assert at(interactions=late).input_values["active_days"] == 1
    assert at(given=zone, interactions=late).input_values["active_days"] == 0


def test_the_lapsed_have_signals_and_prospects_none() -> None:
    tables = {"survey_responses": [answer("V1", "2024-05-01", "nps", "9")]}
    lapsed = at(orders=[order("o1", "2023-01-31")], **tables)
    assert (lapsed.status, lapsed.values["nps"]) == ("lapsed", 90)
    prospect = at(refunds=[refund("r1", "o1", "2024-06-02", "100")], **tables)
    assert (prospect.status, prospect.values) == ("prospect", {})


def test_a_score_with_signals_by_hand() -> None:
    """One order on the day, one customer: only recency has points, 100.

    Known of retail: value .64; loyalty .12: repeat_rate .4 and tenure .4; satisfaction .10:
    nps .4 and complaints .3; engagement .10: active_days .5. Of .96 in all:
    .666667 (heaviest: .666667 + .125 + .104167 + .104167 = 1.000001, so .666666).
    Inside satisfaction: 4/7 = .571429 and 3/7 = .428571; nps 80, complaints 33.33.
    satisfaction = 45.71432 + 14.28427143 = 59.99859143; active_days of one customer: 50.
    Score = .666666 x 20 + .104167 x (59.99859143 + 50).
    Coverage = .64 + .12 x .8 + .10 x .7 + .10 x .5 = .856.
    """
    result = run(
        orders=[order("o1", "2024-01-31")],
        survey_responses=[answer("V1", "2024-01-31", "nps", "8")],
        tickets=[ticket("T1", "2024-01-31", "complaint")],
        interactions=[interaction("I1", "2024-01-31", interaction_type="usage")],
    )
    row = result.customer_periods["A", day("2024-01-31")]
    assert row.satisfaction_score == Decimal("59.99859143")
    assert row.engagement_score == 50
    assert row.partnership_score is None
    assert row.management_score == Decimal("13.33332") + Decimal("0.104167") * (
        Decimal("59.99859143") + 50
    )
    assert row.score_coverage == Decimal("0.856")
    detail = result.score_details["A", "satisfaction", "complaints"]
    assert (detail.input_value, detail.normalised_value) == (2, Decimal("33.33"))
    assert detail.weight == Decimal("0.104167") * Decimal("0.428571")
    assert result.score_details["A", "satisfaction", "csat"].input_value is None


# -- Tiers: qualification and the state machine ----------------------------------------------------


def steps(given: Rules, start: TierState, *reviews: tuple[str, int, int]) -> list[tuple[Any, ...]]:
    """(change, rank, held, grace) of reviews (period end, q, k) that follow each other."""
    state, seen = start, []
    for end, q, k in reviews:
        period = calendar_period(day(end), given.review_period)
        change, state = review(state, q, k, True, period, given)
        seen.append((change, state.tier_rank, state.reviews_held, state.grace))
    return seen


GOLD = TierState(3, reviews_held=0, grace=0, tier_since=day("2024-01-31"), has_held_tier=True)
FALLING = [(f"2024-{month:02}-28", 1, 1) for month in range(2, 11)]


def test_enter_upgrade_keep() -> None:
    seen = steps(
        rules(), TierState(), ("2024-01-31", 0, 4), ("2024-02-29", 2, 2), ("2024-03-31", 2, 3),
        ("2024-04-30", 4, 4), ("2024-05-31", 1, 4),
    )  # fmt: skip
    assert seen == [
        (None, 0, 0, 0),  # a keep rule alone gives no tier
        ("enter", 2, 0, 0),
        ("keep", 2, 1, 0),
        ("upgrade", 4, 0, 0),
        ("keep", 4, 1, 0),
    ]


def test_protection_then_grace_then_one_level_a_time() -> None:
    assert steps(rules(), GOLD, *FALLING) == [
        ("protected", 3, 1, 0),
        ("protected", 3, 2, 0),
        ("protected", 3, 3, 0),
        ("grace", 3, 4, 1),
        ("downgrade", 2, 3, 0),  # no new protection, but grace again
        ("grace", 2, 4, 1),
        ("downgrade", 1, 3, 0),
        ("keep", 1, 4, 0),
        ("keep", 1, 5, 0),
    ]


def test_straight_downgrade_goes_to_what_is_kept() -> None:
    given = rules(tier_downgrade="straight", tier_min_hold_periods=0, tier_grace_periods=0)
    assert steps(given, GOLD, ("2024-02-29", 0, 1)) == [("downgrade", 1, 0, 0)]
    assert steps(given, GOLD, ("2024-02-29", 0, 0)) == [("leave", 0, 0, 0)]


def test_one_level_from_the_lowest_tier_leaves() -> None:
    given = rules(tier_min_hold_periods=0, tier_grace_periods=0)
    bronze = replace(GOLD, tier_rank=1)
    assert steps(given, bronze, ("2024-02-29", 0, 0)) == [("leave", 0, 0, 0)]


def test_keep_forgives_grace_and_upgrade_renews_protection() -> None:
    long_held = replace(GOLD, reviews_held=9, grace=1)
    assert steps(rules(), long_held, ("2024-02-29", 0, 3)) == [("keep", 3, 10, 0)]
    assert steps(rules(), long_held, ("2024-02-29", 4, 4)) == [("upgrade", 4, 0, 0)]
    assert steps(rules(tier_grace_periods=2), long_held, ("2024-02-29", 0, 2)) == [
        ("grace", 3, 10, 2)
    ]


def test_without_valid_orders_the_tier_is_lost_at_once() -> None:
    period = calendar_period(day("2024-02-29"), "month")
    change, state = review(GOLD, 0, 0, False, period, rules())
    assert (change, state.tier_rank, state.previous_rank, state.tier_since) == ("leave", 0, 3, None)
    assert review(TierState(), 0, 0, False, period, rules()) == (None, TierState())


@pytest.mark.parametrize(
    ("review_period", "end", "expected"),
    [
        ("month", "2024-12-31", True),
        ("month", "2024-11-30", False),
        ("quarter", "2024-12-31", True),
        ("quarter", "2024-09-30", False),
        ("week", "2024-12-29", True),  # the next week ends on 5 January 2025
        ("week", "2024-12-22", False),
        ("week", "2023-12-31", True),
        ("week", "2023-12-24", False),
    ],
)
def test_calendar_year_downgrades_once_a_year(review_period: str, end: str, expected: bool) -> None:
    given = rules(tier_validity="calendar_year", review_period=review_period)
    period = calendar_period(day(end), review_period)
    assert may_downgrade(day("2020-01-31"), period, given) is expected


@pytest.mark.parametrize(
    ("review_period", "since", "end", "expected"),
    [
        ("month", "2024-03-31", "2024-03-31", False),  # the day itself is no anniversary
        ("month", "2024-03-31", "2025-02-28", False),
        ("month", "2024-03-31", "2025-03-31", True),
        ("month", "2024-03-31", "2026-03-31", True),
        # 29 February counts as the 28th, in leap years too.
        ("month", "2024-02-29", "2025-02-28", True),
        ("month", "2024-02-29", "2025-03-31", False),
        ("month", "2024-02-29", "2028-02-29", True),
        # Sunday 29 February 2032: 28 February 2033 is a Monday, so the week after.
        ("week", "2032-02-29", "2033-02-27", False),
        ("week", "2032-02-29", "2033-03-06", True),
        ("week", "2032-02-29", "2033-03-13", False),
        # An anniversary of 30 December lies in the week from Monday the 29th to 4 January 2026.
        ("week", "2024-12-30", "2026-01-04", True),
        # Only the 29th becomes the 28th: 9 February 2026 is a Monday.
        ("week", "2025-02-09", "2026-02-08", False),
        ("week", "2025-02-09", "2026-02-15", True),
        ("quarter", "2024-03-31", "2025-03-31", True),
        ("quarter", "2024-03-31", "2025-06-30", False),
    ],
)
def test_anniversaries(review_period: str, since: str, end: str, expected: bool) -> None:
    given = rules(tier_validity="anniversary", review_period=review_period)
    assert may_downgrade(day(since), calendar_period(day(end), review_period), given) is expected


def test_a_review_that_may_not_downgrade_keeps_and_lets_grace_stand() -> None:
    given = rules(tier_validity="calendar_year")
    state = replace(GOLD, reviews_held=8, grace=0)
    seen = steps(
        given, state, ("2024-11-30", 1, 1), ("2024-12-31", 1, 1), ("2025-01-31", 1, 1),
        ("2025-12-31", 1, 1),
    )  # fmt: skip
    assert seen == [
        ("keep", 3, 9, 0),
        ("grace", 3, 10, 1),
        ("keep", 3, 11, 1),
        ("downgrade", 2, 3, 0),
    ]


def test_an_open_period_never_takes_away_except_for_want_of_orders() -> None:
    period = replace(calendar_period(day("2024-02-10"), "month"), period_end=day("2024-02-10"))
    assert period.is_open_period
    state = replace(GOLD, reviews_held=5, grace=1)
    assert provisional_review(state, 1, True, period) == ("keep", state)
    change, shown = provisional_review(state, 4, True, period)
    assert (change, shown.tier_rank, shown.reviews_held, shown.grace) == ("upgrade", 4, 5, 1)
    assert shown.tier_since == day("2024-02-10")
    change, shown = provisional_review(state, 0, False, period)
    assert (change, shown.tier_rank) == ("leave", 0)
    assert provisional_review(TierState(), 2, True, period)[0] == "enter"
    assert provisional_review(TierState(), 0, True, period)[0] is None


# -- Tiers: whole histories ------------------------------------------------------------------------

LADDER_COLUMNS = ("version_valid_from", "tier_code", "tier_rank", "enter_score", "keep_score",
                  "enter_min_orders", "keep_min_orders", "enter_min_revenue",
                  "keep_min_revenue")  # fmt: skip


def ladder_rows(valid_from: str, gold_enter: int = 60, gold_keep: int = 55) -> list[Row]:
    """Seed rows of a ladder of three tiers."""
    rows = [
        (valid_from, "bronze", "1", "0", "0", "1", "1", "", ""),
        (valid_from, "silver", "2", "40", "35", "1", "0", "", ""),
        (valid_from, "gold", "3", str(gold_enter), str(gold_keep), "1", "0", "", ""),
    ]
    return [dict(zip(LADDER_COLUMNS, row, strict=True)) for row in rows]


def simple(*inputs: str, ladder: list[Row] | None = None, **project_vars: Any) -> Rules:
    """Rules that can be followed by hand: one component of equal inputs, three tiers.

    Fixed edges (recency 30, 90, 180, 270; monetary 100, 300, 1000, 3000) unless said otherwise.
    """
    inputs = inputs or ("recency", "monetary")
    weights = tuple((name, Decimal(1) / len(inputs)) for name in inputs)
    return replace(
        rules(**{"rfm_edges": "fixed"} | project_vars),
        profiles={"retail": (ComponentWeight("value", Decimal(1), weights),)},
        ladders=ladders_from(ladder or ladder_rows("2000-01-01")),
    )


SMALL, LARGE = order("o1", "2024-01-31", "50"), order("o2", "2024-02-10", "400")
UNDO_LARGE = refund("r2", "o2", "2024-03-15", "400")


def story(result: Result, customer_id: str = "A") -> list[tuple[str, Any, Any, Any]]:
    """(period end, change, tier, reason) of a customer's periods."""
    return [
        (str(end), row.change_type, row.tier_code, row.reason_code)
        for (member, end), row in result.customer_periods.items()
        if member == customer_id
    ]


def test_a_history_from_enter_to_leave() -> None:
    """score = (recency points + monetary points)/2.

    Jan: 0 days, 100; 50: 0 -> 50. Feb: 19 days, 100; 450: 50 -> 75.
    Mar: the large order is undone: 60 days since 31 January, 75; 50: 0 -> 37.5; silver keeps at 35.
      Since February recency lost 12.5 points, monetary 25, and refunds of 400 exceed half the fall.
    Apr: 90 days, 75 -> 37.5 likewise.
    May: 121 days, 50 -> 25: recency and monetary lost 25 each; recency is first in the seed.
    Jun: 151 days, 50. Jul: 182 days, 25 -> 12.5. Aug: 213. Sep: 243.
    Oct: 274 days, 0 -> 0: bronze is kept with one order.
    Jan 2025: 366 days: lapsed, k = 0; since December there were no points left to lose.
    """
    result = run(simple(as_of_date="2025-03-31"), orders=[SMALL, LARGE], refunds=[UNDO_LARGE])
    assert story(result) == [
        ("2024-01-31", "enter", "silver", "first_order"),
        ("2024-02-29", "upgrade", "gold", "monetary_up"),
        ("2024-03-31", "protected", "gold", "refund"),
        ("2024-04-30", "protected", "gold", "refund"),
        ("2024-05-31", "protected", "gold", "recency_down"),
        ("2024-06-30", "grace", "gold", "recency_down"),
        ("2024-07-31", "downgrade", "silver", "recency_down"),
        ("2024-08-31", "grace", "silver", "recency_down"),
        ("2024-09-30", "downgrade", "bronze", "recency_down"),
        ("2024-10-31", "keep", "bronze", None),
        ("2024-11-30", "keep", "bronze", None),
        ("2024-12-31", "keep", "bronze", None),
        ("2025-01-31", "grace", "bronze", "relative_position"),
        ("2025-02-28", "leave", "none", "inactivity"),
        ("2025-03-31", None, "none", None),
    ]
    scores = [row.management_score for row in result.customer_periods.values()]
    assert scores[:8] == [
        Decimal(x) for x in ("50", "75", "37.5", "37.5", "25", "25", "12.5", "12.5")
    ]
    row = result.customer_periods["A", day("2024-07-31")]
    assert (row.q, row.k, row.qualified_tier_code) == (1, 1, "bronze")
    assert (row.previous_tier_code, row.tier_since) == ("gold", day("2024-07-31"))
    assert (row.reviews_held, row.grace) == (3, 0)

    stretches = [
        (s.tier_code, str(s.valid_from), s.valid_to and str(s.valid_to), s.previous_tier_code)
        for s in result.customer_tier_history.values()
    ]
    assert stretches == [
        ("silver", "2024-01-31", "2024-02-29", "none"),
        ("gold", "2024-02-29", "2024-07-31", "silver"),
        ("silver", "2024-07-31", "2024-09-30", "gold"),
        ("bronze", "2024-09-30", "2025-02-28", "silver"),
        ("none", "2025-02-28", None, "bronze"),
    ]
    assert [s.is_current for s in result.customer_tier_history.values()] == [False] * 4 + [True]
    # In January 2025 the only active bronze customer of December has lapsed.
    assert result.tier_summary[day("2025-01-31"), "bronze"].churn_rate == 1
    assert result.tier_summary[day("2025-01-31"), "bronze"].lapsed_customers == 1


def test_undone_orders_leave_at_once_and_the_next_order_returns() -> None:
    result = run(
        simple(as_of_date="2024-05-31"),
        orders=[order("o1", "2024-01-10"), order("o2", "2024-05-02")],
        refunds=[refund("r1", "o1", "2024-03-05", "100")],
    )
    assert story(result) == [
        ("2024-01-31", "enter", "silver", "first_order"),
        ("2024-02-29", "keep", "silver", None),
        ("2024-03-31", "leave", "none", "orders_undone"),
        ("2024-04-30", None, "none", None),
        ("2024-05-31", "enter", "silver", "return_order"),
    ]
    march, april, may = (
        result.customer_periods["A", day(f"2024-{end}")] for end in ("03-31", "04-30", "05-31")
    )
    assert (march.status, march.segment_code, march.q, march.k) == ("prospect", "prospect", 0, 0)
    assert march.previous_tier_code == april.previous_tier_code == "silver"
    assert may.previous_tier_code == "none"
    assert may.tier_since == day("2024-05-31")


def test_monetary_down_without_a_refund() -> None:
    """Window of 60 days, monetary alone: 400 on 31 January and 29 February, 50 points, silver.

    On 31 March the window starts after 31 January: only 50 of March are left, 0 points.
    """
    given = simple("monetary", as_of_date="2024-03-31", rfm_window_days=60)
    made = [order("o1", "2024-01-20", "400"), order("o2", "2024-03-10", "50")]
    result = run(given, orders=made)
    assert story(result)[-1] == ("2024-03-31", "protected", "silver", "monetary_down")
    # A refund of 20 in March, of an order that is still there: less than half of the fall.
    made[1]["order_amount"] = "70"
    refunds = [refund("r1", "o2", "2024-03-20", "20")]
    assert story(run(given, orders=made, refunds=refunds))[-1][3] == "monetary_down"


@pytest.mark.parametrize(
    ("validity", "downgrade_on"), [("calendar_year", "2024-12-31"), ("anniversary", "2025-02-28")]
)
def test_a_reason_is_measured_from_the_last_review_at_which_the_tier_was_earned(
    validity: str, downgrade_on: str
) -> None:
    """Monetary alone. Jan: 50, 0 points, bronze. Feb: 450, 50 points, silver, which is kept at 35.

    Mar: 400 are refunded; 50 are left, 0 points. Silver stays until the year's last review, or that of
    a year after 29 February, and is then lost to the refund, which is all of the fall since
    February. Since the review before that one nothing has moved but the days.
    """
    policy = {"tier_validity": validity, "tier_min_hold_periods": 0, "tier_grace_periods": 0}
    given = simple("monetary", as_of_date=downgrade_on, **policy)
    seen = story(run(given, orders=[SMALL, LARGE], refunds=[UNDO_LARGE]))
    assert seen[1] == ("2024-02-29", "upgrade", "silver", "monetary_up")
    assert {change for _, change, _, _ in seen[2:-1]} == {"keep"}
    assert seen[-1] == (downgrade_on, "downgrade", "bronze", "refund")


def test_a_tier_earned_again_is_where_its_next_loss_is_measured_from() -> None:
    """Monetary alone over 60 days. Jan, Feb: 400, 50 points, silver. Mar: nothing, but kept for the year.

    Apr, May: 500, 50 points: silver is earned again. June: they have left the window. The year's last
    review grants grace for a fall of 500 since May, of which the refund of 250 on 1 April is no part;
    it would be more than half of that of 400 since February.
    """
    policy = {"tier_validity": "calendar_year", "tier_min_hold_periods": 0}
    given = simple("monetary", as_of_date="2024-12-31", rfm_window_days=60, **policy)
    made = [order("o1", "2024-01-20", "400"), order("o2", "2024-04-20", "500")]
    seen = story(run(given, orders=made, refunds=[refund("r1", "o1", "2024-04-01", "250")]))
    assert seen[-1] == ("2024-12-31", "grace", "silver", "monetary_down")


def test_a_refund_must_exceed_half_the_fall() -> None:
    """Monetary falls from 400 (February) to 50: by 350. A refund of 175 is just half, 176 is more.

    The order of 20 January leaves the window; its refund in March counts all the same.
    """
    given = simple("monetary", as_of_date="2024-03-31", rfm_window_days=60)
    made = [order("o1", "2024-01-20", "400"), order("o2", "2024-03-10", "50")]

    def reason(amount: str) -> str | None:
        result = run(given, orders=made, refunds=[refund("r1", "o1", "2024-03-20", amount)])
        return story(result)[-1][3]

    assert reason("175") == "monetary_down"
    assert reason("176") == "refund"


def test_a_refund_known_at_the_reference_is_not_of_the_fall() -> None:
    """301 on 29 February, when the refund of 99 is known; 200 on 31 March: a fall of 101."""
    result = run(
        simple("monetary", as_of_date="2024-03-31", rfm_window_days=60),
        orders=[order("o1", "2024-01-20", "400"), order("o2", "2024-03-10", "200")],
        refunds=[refund("r1", "o1", "2024-02-29", "99")],
    )
    assert story(result)[1:] == [
        ("2024-02-29", "keep", "silver", None),
        ("2024-03-31", "protected", "silver", "monetary_down"),
    ]


def test_a_refund_on_the_day_of_the_order_is_no_later_refund() -> None:
    """400 fall away; what was refunded on the order's own day never counted in February's 400."""
    given = simple("monetary", as_of_date="2024-03-31", rfm_window_days=60)
    result = run(
        given,
        orders=[order("o1", "2024-01-20", "400"), order("o2", "2024-03-10", "500")],
        refunds=[refund("r1", "o2", "2024-03-10", "450")],
    )
    assert story(result)[-1][3] == "monetary_down"


def test_relative_position() -> None:
    """January: 10, 20, 30, 40, 100, edges 18, 26, 34, 52: A with 100 scores 5, gold.

    In February the others spend 1000 each; A is now the smallest, without having moved.
    """
    others = "BCDE"
    january = [order(f"j{c}", "2024-01-10", str(10 * n), c) for n, c in enumerate(others, 1)]
    february = [order(f"f{c}", "2024-02-10", "1000", c) for c in others]
    result = run(
        simple("monetary", rfm_edges="quantile", as_of_date="2024-02-29"),
        orders=[order("jA", "2024-01-10", "100"), *january, *february],
    )
    assert story(result) == [
        ("2024-01-31", "enter", "gold", "first_order"),
        ("2024-02-29", "protected", "gold", "relative_position"),
    ]


def test_signals_as_reasons() -> None:
    """Answers of 3 and 9 are 30 and 90 points: bronze and gold. Two complaints: 33.33, bronze."""

    def february(given: Rules, **tables: list[Row]) -> tuple[Any, ...]:
        given = replace(given, as_of_date="2024-02-29")
        made = [order("o1", "2024-01-31"), order("o2", "2024-02-29")]
        return story(run(given, orders=made, **tables))[1][1:]

    def nps_story(*scores: str) -> tuple[Any, ...]:
        made = [answer(f"V{n}", f"2024-0{n}-29", "nps", s) for n, s in enumerate(scores, 1)]
        return february(simple("nps"), survey_responses=made)

    assert nps_story("3", "9") == ("upgrade", "gold", "nps_up")
    assert nps_story("9", "3") == ("protected", "gold", "nps_down")
    # More complaints are fewer points, and that is down.
    made = [ticket("T1", "2024-01-05", "question"), ticket("T2", "2024-02-05", "complaint")]
    assert february(simple("complaints"), tickets=made) == ("protected", "gold", "complaints_down")
    # From two complaints (100/3) to one (50), closed in February and no longer open.
    closed = [ticket("T1", "2024-01-05", "complaint", "2024-02-05")]
    assert february(simple("complaints"), tickets=closed) == ("upgrade", "silver", "complaints_up")
    # An answer where there was none is no move: 100 (recency alone), then 50.
    late = [answer("V1", "2024-02-05", "nps", "0")]
    given = simple("recency", "nps")
    assert february(given, survey_responses=late) == ("protected", "gold", "relative_position")


def test_counts_of_interactions_as_reasons() -> None:
    """January: A came on one day, 25 points of bronze, B on two, 75 and gold. In February A came
    twice more and they change places; B has not moved.
    """
    made = [order("o1", "2024-01-31"), order("o2", "2024-01-31", customer="B")]
    came = [
        interaction("I1", "2024-01-10"),
        *(interaction(f"B{n}", f"2024-01-1{n}", "B") for n in (1, 2)),
        *(interaction(f"A{n}", f"2024-02-1{n}") for n in (1, 2)),
    ]
    given = simple("active_days", as_of_date="2024-02-29")
    result = run(given, orders=made, interactions=came)
    assert story(result)[1] == ("2024-02-29", "upgrade", "gold", "active_days_up")
    assert story(result, "B") == [
        ("2024-01-31", "enter", "gold", "first_order"),
        ("2024-02-29", "protected", "gold", "relative_position"),
    ]


def test_a_rising_weight_is_no_behaviour() -> None:
    """In January A alone came: 33 %, a rank of 83.33 with a weight of .165/.665 = .248120.

    In February B and C came once and A a second time: the same rank with a weight of .5, 20.99
    points more; revenue, from 150 to 450, brings 50 x .5 - 25 x .751880 = 6.203.
    """
    made = [
        *(order(f"j{c}", "2024-01-10", "150", c) for c in "ABC"),
        order("fA", "2024-02-10", "300"),
    ]
    came = [interaction("I1", "2024-01-10"), *(interaction(c, "2024-02-10", c) for c in "ABC")]
    given = simple("monetary", "active_days", as_of_date="2024-02-29")
    assert story(run(given, orders=made, interactions=came)) == [
        ("2024-01-31", "enter", "bronze", "first_order"),
        ("2024-02-29", "upgrade", "gold", "monetary_up"),
    ]


def test_rule_change() -> None:
    """From March gold needs 85 and keeps at 80.

    Mar: 50 days, 75; 450: 50 -> 62.5: gold by the old rules, silver by the new.
    Apr: 80 days, the same. May: 111 days, 50 -> 50: by the old rules (keep 55) protected as well,
    so it is the recency.
    """
    stricter = ladder_rows("2000-01-01") + ladder_rows("2024-03-01", 85, 80)
    result = run(simple(ladder=stricter, as_of_date="2024-05-31"), orders=[SMALL, LARGE])
    assert story(result)[1:] == [
        ("2024-02-29", "upgrade", "gold", "monetary_up"),
        ("2024-03-31", "protected", "gold", "rule_change"),
        ("2024-04-30", "protected", "gold", "rule_change"),
        ("2024-05-31", "protected", "gold", "recency_down"),
    ]


def test_an_upgrade_by_new_rules() -> None:
    """50 points on 31 January and, after 29 days, on 29 February; from then gold needs only 45."""
    easier = ladder_rows("2000-01-01") + ladder_rows("2024-02-29", 45, 40)
    result = run(simple(ladder=easier, as_of_date="2024-02-29"), orders=[SMALL])
    assert story(result)[-1] == ("2024-02-29", "upgrade", "gold", "rule_change")


def test_the_first_version_also_holds_before_its_date() -> None:
    result = run(simple(ladder=ladder_rows("2029-01-01")), orders=[SMALL])
    assert story(result) == [("2024-01-31", "enter", "silver", "first_order")]


def test_a_downgrade_out_of_the_ladder_has_a_reason_of_its_own() -> None:
    """Bronze from 30 on, kept at 25. No hold, no grace.

    Jan: 50, silver. Apr: recency 90, 75 -> 37.5: silver kept. May: 121 days, 50 -> 25: bronze kept.
    Jul: 182 days, 25 -> 12.5: nothing kept; still active, so no inactivity.
    """
    rows = ladder_rows("2000-01-01")
    rows[0] |= {"enter_score": "30", "keep_score": "25"}
    given = simple(
        ladder=rows, as_of_date="2024-07-31", tier_min_hold_periods=0, tier_grace_periods=0
    )
    assert story(run(given, orders=[SMALL]))[3:] == [
        ("2024-04-30", "keep", "silver", None),
        ("2024-05-31", "downgrade", "bronze", "recency_down"),
        ("2024-06-30", "keep", "bronze", None),
        ("2024-07-31", "leave", "none", "recency_down"),
    ]


def test_an_open_period_upgrades_provisionally() -> None:
    """As of 15 February: 5 days, 100; 450: 50 -> 75, gold. The hold would run from 29 February."""
    result = run(simple(as_of_date="2024-02-15"), orders=[SMALL, LARGE])
    row = result.customer_periods["A", day("2024-02-15")]
    assert (row.change_type, row.tier_code, row.is_provisional) == ("upgrade", "gold", True)
    tier = result.customer_tiers["A"]
    assert (tier.protected_until, tier.next_review_on) == (day("2024-05-31"), day("2024-02-29"))
    assert (tier.tier_since, tier.previous_tier_code) == (day("2024-02-15"), "silver")
    assert [s.tier_code for s in result.customer_tier_history.values()] == ["silver"]


def test_an_open_period_shows_no_downgrade() -> None:
    """As of 20 March, the large order undone: 49 days, 75; 50: 0 -> 37.5. 55 are missing by 17.5.

    Gold since 29 February: reviews of March, April and May are protected.
    """
    result = run(simple(as_of_date="2024-03-20"), orders=[SMALL, LARGE], refunds=[UNDO_LARGE])
    tier = result.customer_tiers["A"]
    assert (tier.change_type, tier.reason_code, tier.tier_code) == ("keep", None, "gold")
    assert (tier.qualified_tier_code, tier.points_to_keep) == ("bronze", Decimal("17.5"))
    assert (tier.points_to_next, tier.orders_to_next, tier.revenue_to_next) == (None,) * 3
    assert (tier.protected_until, tier.next_review_on) == (day("2024-05-31"), day("2024-03-31"))

    closed = run(
        simple(as_of_date="2024-03-31"), orders=[SMALL, LARGE], refunds=[UNDO_LARGE]
    ).customer_tiers["A"]
    assert closed.change_type == "protected"
    assert (closed.protected_until, closed.next_review_on) == (day("2024-05-31"), day("2024-04-30"))


def test_protection_ends() -> None:
    """Silver since 31 January: the reviews of February, March and April are protected."""
    until = [
        run(simple(as_of_date=end), orders=[SMALL]).customer_tiers["A"].protected_until
        for end in ("2024-01-31", "2024-02-15", "2024-04-15", "2024-04-30", "2024-05-15")
    ]
    assert until == [day("2024-04-30")] * 3 + [None, None]


def test_an_open_period_leaves_when_orders_are_undone() -> None:
    result = run(
        simple(as_of_date="2024-02-10"),
        orders=[SMALL],
        refunds=[refund("r1", "o1", "2024-02-09", "50")],
    )
    assert story(result)[-1] == ("2024-02-10", "leave", "none", "orders_undone")
    tier = result.customer_tiers["A"]
    assert (tier.tier_rank, tier.is_provisional, tier.previous_tier_code) == (0, True, "silver")
    assert (tier.points_to_keep, tier.points_to_next, tier.orders_to_next) == (None,) * 3
    assert tier.protected_until is None
    assert [s.tier_code for s in result.customer_tier_history.values()] == ["silver"]


def test_the_way_to_the_next_tier() -> None:
    """50 points and 50 of revenue in silver; gold wants 60 points, 3 orders and 1000 of revenue."""
    rows = ladder_rows("2000-01-01")
    rows[2] |= {"enter_min_orders": "3", "enter_min_revenue": "1000"}
    given = simple(ladder=rows, as_of_date="2024-01-31")
    tier = run(given, orders=[SMALL]).customer_tiers["A"]
    assert (tier.points_to_keep, tier.points_to_next) == (0, 10)
    assert (tier.orders_to_next, tier.revenue_to_next) == (2, 950)


def test_minimum_orders_and_revenue_decide_too() -> None:
    """75 points: gold by score, but it wants 3 orders or 1000 of revenue to enter."""
    for column, value in (("enter_min_orders", "3"), ("enter_min_revenue", "450.01")):
        rows = ladder_rows("2000-01-01")
        rows[2] |= {column: value}
        result = run(simple(ladder=rows, as_of_date="2024-02-29"), orders=[SMALL, LARGE])
        row = result.customer_periods["A", day("2024-02-29")]
        assert (row.q, row.k, row.tier_code) == (2, 3, "silver")


def test_an_entry_rule_keeps_too() -> None:
    """Gold keeps only from 3 orders on, but 75 points enter it anew: k is gold."""
    rows = ladder_rows("2000-01-01")
    rows[2] |= {"keep_min_orders": "3"}
    result = run(simple(ladder=rows, as_of_date="2024-02-29"), orders=[SMALL, LARGE])
    row = result.customer_periods["A", day("2024-02-29")]
    assert (row.q, row.k) == (3, 3)


def test_a_customer_without_a_tier_looks_at_the_lowest() -> None:
    """Lapsed and gone: bronze wants one order."""
    result = run(simple(as_of_date="2025-03-31"), orders=[SMALL])
    tier = result.customer_tiers["A"]
    assert (tier.tier_code, tier.tier_since, tier.previous_tier_code) == ("none", None, "bronze")
    assert (tier.points_to_keep, tier.points_to_next, tier.orders_to_next) == (None, 0, 1)


# -- Marts -----------------------------------------------------------------------------------------


def test_transitions_and_summary() -> None:
    """A: silver, then gold with 450 (400 of it in February). B enters on 29 February with 100.

    B: 0 days, 100; 100 is not above the edge 100: 0 -> 50, silver.
    """
    result = run(
        simple(as_of_date="2024-02-29"),
        orders=[SMALL, LARGE, order("o3", "2024-02-29", "100", customer="B")],
    )
    moves = {key[2:]: (t.customers, t.window_revenue) for key, t in result.tier_transitions.items()}
    assert moves == {("silver", "gold"): (1, 450), ("none", "silver"): (1, 100)}

    def summary(tier: str) -> tuple[Any, ...]:
        s = result.tier_summary[day("2024-02-29"), tier]
        return (s.customers, s.window_revenue, s.window_revenue_share, s.cumulative_revenue_share,
                s.period_revenue, s.average_order_value, s.repeat_rate, s.churn_rate)  # fmt: skip

    assert summary("gold") == (1, 450, Fraction(9, 11), Fraction(9, 11), 400, 225, 1, None)
    assert summary("silver") == (1, 100, Fraction(2, 11), 1, 100, 100, 0, 0)
    assert summary("none") == (0, 0, 0, 1, 0, None, None, None)


def test_customers() -> None:
    """Valid: o1 (web, Books 60, Toys 40) and o2 (store, Toys 80); o3 is undone, o4 not there yet.

    Channels: web 90 after a refund of 10, store 80.
    """
    result = run(
        rules(as_of_date="2024-03-31"),
        customers=[{"customer_id": "A"}, {"customer_id": "N"}],
        orders=[
            order("o1", "2024-01-10", "100", channel="Web"),
            order("o2", "2024-02-10", "80", channel="store"),
            order("o3", "2024-03-10", "500", channel="store"),
            order("o4", "2024-04-10", "900", channel="store"),
        ],
        order_items=[
            item("o1", 1, "P1", "60"),
            item("o1", 2, "P2", "40"),
            item("o2", 1, "P2", "80"),
            item("o3", 1, "P1", "500"),
            item("o4", 1, "P1", "900"),
        ],
        refunds=[refund("r3", "o3", "2024-03-20", "500"), refund("r1", "o1", "2024-03-20", "10")],
        products=PRODUCTS,
    )
    a, n = result.customers["A"], result.customers["N"]
    assert (str(a.first_order_on), str(a.last_order_on)) == ("2024-01-10", "2024-02-10")
    assert (a.lifetime_orders, a.lifetime_revenue) == (2, 170)
    assert (a.favourite_category, a.demand_type) == ("Toys", "service")
    assert (a.favourite_channel, a.channel_mix) == ("Web", "omnichannel")
    assert (n.segment_code, n.value_class, n.buyer_type, n.lifetime_orders) == (
        "prospect", "none", "none", 0
    )  # fmt: skip
    assert (n.tier_code, n.management_score, n.is_inferred) == ("none", None, False)
    assert ("N", day("2024-03-31")) not in result.customer_periods


def test_ties_of_favourites_go_to_the_smallest_text() -> None:
    made = [order("o1", "2024-01-10", channel="web"), order("o2", "2024-01-10", channel="app")]
    items = [item("o1", 1, "P2", "5"), item("o2", 1, "P1", "5"), item("o2", 2, "P3", None)]
    a = run(orders=made, order_items=items, products=PRODUCTS).customers["A"]
    assert (a.favourite_channel, a.favourite_category, a.demand_type) == ("app", "Books", "product")
    assert a.channel_mix == "online"


def test_orders() -> None:
    """The tier at an order is that of the last closed review before its date.

    29 February is the end of a review, but not before itself. Before the first review it is `none`, and a
    guest has no code at all.
    """
    result = run(
        simple(as_of_date="2024-03-15"),
        orders=[
            order("o0", "2024-01-05", "10", status="returned"),
            SMALL,
            LARGE,
            order("o3", "2024-02-29", "1"),
            order("o4", "2024-03-01", "1"),
            order("o5", "2024-03-01", "1", status="pending"),
            order("o6", "2024-03-01", "1", customer=None),
        ],
        refunds=[UNDO_LARGE],
    )
    tiers = [row.tier_code_at_order for row in result.orders.values()]
    assert tiers == ["none", "none", "silver", "silver", "gold", "gold", None]
    assert [row.is_valid for row in result.orders.values()] == [
        False,
        True,
        False,
        True,
        True,
        False,
        True,
    ]
    assert [o for o, row in result.orders.items() if row.is_first_order] == ["o1"]
    assert (result.orders["o2"].refunded_amount, result.orders["o2"].net_amount) == (400, 0)
    assert result.orders["o5"].net_amount == 0


def lift(*inputs: str, as_of_date: str = "2024-01-31", **tables: list[Row]) -> tuple[Any, ...]:
    """A's largest lift by rules of equal inputs; A's one order is of 31 January."""
    result = run(simple(*inputs, as_of_date=as_of_date), **tables)
    scores = result.customer_scores["A"]
    return scores.largest_lift_input, scores.largest_lift_points


def test_largest_lift() -> None:
    def made(amount: str) -> list[Row]:
        return [order("o1", "2024-01-31", amount)]

    both = ("recency", "monetary")
    # On the day recency has 100 points; 50 is in the lowest band, 400 in the third: 0 and 50.
    assert lift(*both, orders=made("50")) == ("monetary", 50)
    assert lift(*both, orders=made("400")) == ("monetary", 25)
    # 91 days later recency has 50 as well: the first counts.
    assert lift(*both, orders=made("400"), as_of_date="2024-05-01") == ("recency", 25)
    assert lift(*both[::-1], orders=made("400"), as_of_date="2024-05-01") == ("monetary", 25)
    # Everything at 100, and what is not known has nothing to gain.
    assert lift(*both, orders=made("5000")) == (None, None)
    assert lift("recency", "nps", orders=made("50")) == (None, None)
    answers = [answer("V1", "2024-01-31", "nps", "7")]
    assert lift("recency", "nps", orders=made("50"), survey_responses=answers) == ("nps", 15)
    # No score, and a prospect.
    assert lift("balance", orders=made("50")) == (None, None)
    undone = [refund("r1", "o1", "2024-01-31", "50")]
    assert lift(*both, orders=made("50"), refunds=undone) == (None, None)


def test_largest_lift_looks_at_weights() -> None:
    """Recency .2 x 25, monetary 0 x 100, frequency .1 x 100 = 10; of .3 in all: 16.6667, 33.3333."""
    weights = {"recency": "0.2", "monetary": "0", "frequency": "0.1", "nps": "0.7"}
    inputs = tuple((name, Decimal(weight)) for name, weight in weights.items())
    given = replace(
        simple(as_of_date="2024-04-30"),
        profiles={"retail": (ComponentWeight("value", Decimal(1), inputs),)},
    )
    scores = run(given, orders=[order("o1", "2024-01-31", "50")]).customer_scores["A"]
    assert (scores.largest_lift_input, scores.largest_lift_points) == (
        "frequency",
        Decimal("33.3333"),
    )
    assert scores.management_score == Decimal("0.666667") * 75
    assert scores.as_of_date == day("2024-04-30")


def test_net_promoter_scores() -> None:
    """All have one order of 31 January; recency alone: 100, gold. E's is undone: a prospect.

    A 10, B 9, C 8, D 6, E 7; F has no answer. In February A says 0 and F 7.
    """
    scores = dict(zip("ABCDE", ("10", "9", "8", "6", "7"), strict=True))
    result = run(
        simple("recency", as_of_date="2024-02-29", rfm_window_days=40),
        orders=[order(f"o{c}", "2024-01-31", customer=c) for c in "ABCDEF"],
        refunds=[refund("r1", "oE", "2024-01-31", "100")],
        customers=[{"customer_id": "N"}],
        survey_responses=[
            *(answer(f"V{c}", "2024-01-10", "nps", score, c) for c, score in scores.items()),
            answer("W1", "2024-02-10", "nps", "0", "A"),
            answer("W2", "2024-02-10", "nps", "7", "F"),
            answer("W3", "2024-01-10", "nps", "10", "N"),  # has no row
            answer("W4", "2024-01-10", "csat", "1", "F"),
        ],
    )

    def cells(period_end: str, dimension: str) -> dict[str, tuple[Any, ...]]:
        return {
            value: (cell.answers, cell.promoters, cell.detractors, str(cell.net_promoter_score))
            for (end, of, value), cell in result.net_promoter_scores.items()
            if (str(end), of) == (period_end, dimension)
        }

    assert cells("2024-01-31", "all") == {"all": (5, 2, 1, "20.00")}
    assert cells("2024-01-31", "tier") == {
        "gold": (4, 2, 1, "25.00"),
        "none": (1, 0, 0, "0.00"),
    }
    segment = result.customer_periods["A", day("2024-01-31")].segment_code
    assert cells("2024-01-31", "segment") == {
        segment: (4, 2, 1, "25.00"),
        "prospect": (1, 0, 0, "0.00"),
    }
    # On 29 February the window of 40 days starts after 20 January.
    assert cells("2024-02-29", "all") == {"all": (2, 0, 1, "-50.00")}
    assert cells("2024-02-29", "tier") == {"gold": (2, 0, 1, "-50.00")}


def test_net_promoter_scores_round_half_away_from_zero() -> None:
    """1 of 32 is 3.125 %."""
    cell = marts.NetPromoterScore(day(P), "all", "all", answers=32, promoters=1)
    assert cell.net_promoter_score == Decimal("3.13")
    assert replace(cell, promoters=0, detractors=1).net_promoter_score == Decimal("-3.13")


def test_nothing_at_all() -> None:
    result = compute({}, rules(), RUN_DATE)
    assert result.as_of_date is None
    assert (result.customers, result.ledger, result.review_periods) == ({}, [], [])
    assert result.reconciliation["orders"].amount_in == 0


# -- Published results -----------------------------------------------------------------------------


def public(path: str) -> Path:
    """A file of the public data sets; the test is skipped where they are not there."""
    if not DATA.is_dir():
        pytest.skip(f"public data sets not found in {DATA} (set TIERING_DATA to their folder)")
    return DATA / path


def orders_from(select: str, path: Path) -> list[Row]:
    """Raw orders from a query over a Parquet file: customer, time, amount and maybe an id."""
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.execute(select, [str(path)]).fetchall()
    return [
        order(str(rest[0] if rest else n), str(when), repr(amount), str(customer))
        for n, (customer, when, amount, *rest) in enumerate(rows)
    ]


def published(path: Path) -> list[dict[str, str]]:
    """Rows of a compressed CSV file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_published_scores_of_the_r_package_rfm() -> None:
    """All 995 scores. Its bins are lower <= value < upper with cut points quantile + 1: that is
    value > cut point - 0.001, as values are whole and cut points multiples of 0.2."""
    made = orders_from(
        "select customer_id, order_date, revenue from read_parquet($1)",
        public("rfm_r/rfm_data_orders.parquet"),
    )
    given = rules(rfm_window_days=1900, as_of_date="2006-12-31", review_period="quarter")
    end = day("2006-12-31")
    quantiles = run(given, orders=made).rfm_score_edges
    cuts = {
        metric: tuple(edge + 1 for edge in quantiles[end, metric].values)
        for metric in ("recency", "frequency", "monetary")
    }
    assert {metric: [round(cut) for cut in values] for metric, values in cuts.items()} == {
        "recency": [115, 181, 297, 482],
        "frequency": [4, 5, 6, 8],
        "monetary": [256, 382, 506, 666],
    }
    edges = {metric: tuple(cut - Decimal("0.001") for cut in cuts[metric]) for metric in cuts}
    result = run(replace(given, rfm_edges="fixed", fixed_edges=edges), orders=made)
    expected = {
        row["customer_id"]: (
            int(row["recency_days"]), int(row["transaction_count"]), Decimal(row["amount"]),
            row["rfm_score"],
        )
        for row in published(public("expected/rfm_r_orders_rfm_computed.csv.gz"))
    }  # fmt: skip
    ours = {
        customer: (row.recency_days, row.frequency, row.monetary, row.rfm_cell)
        for (customer, period_end), row in result.customer_periods.items()
        if period_end == end
    }
    assert len(expected) == 995
    assert ours == expected


def test_published_recency_and_monetary_scores_of_online_retail() -> None:
    """All 4,338 customers; the published day count differs by one, which moves no bin."""
    made = orders_from(
        """
        select customer_id, min(invoice_date), sum(quantity * unit_price), invoice_no
        from read_parquet($1)
        where customer_id is not null and invoice_no not like 'C%'
            and quantity > 0 and unit_price > 0
        group by customer_id, invoice_no
        """,
        public("online_retail/online_retail_2010_2011.parquet"),
    )
    given = rules(rfm_window_days=400, as_of_date="2011-12-11", review_period="quarter")
    result = run(given, orders=made)
    expected = {
        row["Customer ID"]: (int(row["R"]), int(row["M"]))
        for row in published(
            public("expected/online_retail_2010_2011_rfm_segments_computed.csv.gz")
        )
    }
    ours = {
        customer: (row.r_score, row.m_score)
        for (customer, end), row in result.customer_periods.items()
        if end == day("2011-12-11")
    }
    assert len(expected) == 4338
    assert ours == expected


def test_published_repeat_purchases_of_cdnow() -> None:
    """Customer-days after a customer's first, in weeks 20 to 25 from 1 January 1997."""
    made = orders_from(
        "select sample_id, order_date, amount from read_parquet($1)",
        public("cdnow/cdnow_sample.parquet"),
    )
    given = rules(history_starts_on="1997-01-01", review_period="quarter")
    first: dict[str, date] = {}
    weeks: Counter[int] = Counter()
    for row in sorted(run(given, orders=made).ledger, key=lambda row: row.order_date):
        if row.customer_id in first:
            weeks[(row.order_date - day("1997-01-01")).days // 7 + 1] += 1
        first.setdefault(row.customer_id, row.order_date)
    assert [weeks[week] for week in range(20, 26)] == [73, 55, 70, 33, 56, 99]


# -- Laws on real orders ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def households() -> list[Row]:
    """9,648 baskets of 100 households over one year."""
    path = public("completejourney_small/raw_orders.csv")
    with open(path, encoding="utf-8", newline="") as file:
        return [
            order(row["order_id"], row["ordered_at"], row["amount"], row["customer_id"])
            for row in csv.DictReader(file)
        ]


def refunds_of(made: list[Row]) -> list[Row]:
    """Refund every tenth order sixty days later, in turn wholly and by half."""
    return [
        refund(
            f"r{n}",
            row["order_id"],
            str(datetime.fromisoformat(row["ordered_at"]) + timedelta(days=60)),
            str(Decimal(row["order_amount"]) / (1 + n % 20 // 10)),
        )
        for n, row in enumerate(made)
        if n % 10 == 0
    ]


@pytest.mark.parametrize("as_of_date", ["2017-04-30", "2017-08-17"])
def test_closed_periods_never_change_later(households: list[Row], as_of_date: str) -> None:
    refunds = refunds_of(households)
    later = run(rules(), orders=households, refunds=refunds)
    earlier = run(rules(as_of_date=as_of_date), orders=households, refunds=refunds)
    closed = {key: row for key, row in earlier.customer_periods.items() if not row.is_open_period}
    assert len(closed) > 300
    assert closed == {key: later.customer_periods[key] for key in closed}


def test_revenue_by_tier_adds_up_to_the_ledger(households: list[Row]) -> None:
    result = run(rules(rfm_window_days=120), orders=households, refunds=refunds_of(households))
    for period in result.review_periods:
        end = period.period_end
        window = sum(
            row.revenue_delta
            for row in result.ledger
            if row.known_date <= end and (end - row.order_date).days < 120
        )
        assert window == sum(
            s.window_revenue for (at, _), s in result.tier_summary.items() if at == end
        )


def test_row_order_and_repeated_rows_change_nothing(households: list[Row]) -> None:
    refunds = refunds_of(households)
    once = run(rules(), orders=households, refunds=refunds)
    twice = run(rules(), orders=households[::-1] + households[::7], refunds=refunds[::-1])
    assert twice.customer_periods == once.customer_periods
    assert twice.ledger == once.ledger
    assert twice.reconciliation["orders"].rows_duplicate == len(households[::7])
