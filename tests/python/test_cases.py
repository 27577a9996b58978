"""Small inputs from public bug reports and exports, and two more of each kind: each gives the right value.

The public ones are no part of the project: TIERING_CASES says where they are. Each has a README with the value that is
right and why; it is written down here by hand. What refuses a run before anything is read (delimiters, encodings) is in
test_refresh_faults.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from compiled_project import PROJECT, CompiledProject, RawTables

CASES = Path(os.environ.get("TIERING_CASES", PROJECT.parent / "shared" / "cases"))

REVENUE = (
    "select customer_id, count(*), sum(net_amount) from marts.orders "
    "where is_valid group by 1 order by 1"
)
STAGED = "select rows_in, rows_staged, rows_rejected from quality.reconciliation where source_table = '{}'"
UNDECIDED = (
    "select warning_code, subject, observed, amount from quality.warnings "
    "where warning_code = 'undecided_duplicates'"
)


class Case(NamedTuple):
    """An input, the reporting currency, and what queries give."""

    raw: RawTables | str
    currency: str
    expected: dict[str, list[tuple]]


def rows(header: str, *lines: str) -> list[dict[str, str | None]]:
    names = header.split(",")
    return [
        dict(zip(names, (cell or None for cell in line.split(",")), strict=True)) for line in lines
    ]


ORDER = "order_id,customer_id,ordered_at,status,order_amount"
PUBLIC = {
    "amount_100_million": ("VND", {REVENUE: [("A", 2, 170_000_000), ("B", 1, 45_000_000)]}),
    "ids_as_floats": (
        "CNY",
        {
            "select count(*), count(*) filter (is_inferred), sum(lifetime_orders) from marts.customers": [
                (30, 0, 135)
            ],
            "select count(*) from marts.orders where customer_id is null": [(15,)],
            STAGED.format("refunds"): [(10, 10, 0)],
        },
    ),
    # 183 lines of 60 orders: 123 lines more than orders, none of them a copy
    "line_level_orders": (
        "INR",
        {
            STAGED.format("orders"): [(183, 60, 0)],
            UNDECIDED: [("undecided_duplicates", "orders", 123, 33_423)],
        },
    ),
    "messy_values": (
        "USD",
        {
            # unambiguous dates are read, others refused; a day is that in UTC
            "select string_agg(order_id[6:], ' ' order by order_id) from marts.orders "
            "where starts_with(order_id, 'date-')": [
                ("001 002 003 004 005 006 007 008 009 010 019 020 021 022 023 025 026 027 028",)
            ],
            "select distinct order_date::varchar from marts.orders "
            "where starts_with(order_id, 'date-')": [("2025-12-06",)],
            "select cast(ordered_at as varchar) from marts.orders "
            "where order_id in ('date-002', 'date-020', 'date-026') order by order_id": [
                ("2025-12-06 15:37:33",),
                ("2025-12-06 10:37:00",),
                ("2025-12-06 02:37:33",),
            ],
            "select string_agg(order_id[8:] || '=' || order_amount, ' ' order by order_id) from marts.orders "
            "where starts_with(order_id, 'amount-')": [
                ("029=1234.50 040=1234.50 041=1000.00 042=1234.57 043=1234.50 045=1234.00",)
            ],
            # text is an id as it stands, but for what nobody sees at its ends
            "select customer_id, count(*) from marts.orders where starts_with(order_id, 'cust-') "
            "group by 1 order by 1": [
                ("1001", 3),
                ("1001.0", 1),
                ("C-7", 1),
                ("c-7", 1),
                ("００7", 1),
            ],
        },
    ),
    "refund_rounding_foreign": (
        "EUR",
        {
            "select order_id, refunded_amount, net_amount from marts.orders order by 1": [
                ("1", 3.85, 0),
                ("2", 87.65, 0),
                ("3", 0, 20),
            ],
            "select customer_id, lifetime_revenue from marts.customers order by 1": [
                ("A", 0),
                ("B", 0),
                ("C", 20),
            ],
        },
    ),
    # the file as exported, but for names of columns: its other lines are lines of orders
    "shopify_export": (
        "INR",
        {
            "select count(*), count(distinct customer_id), sum(net_amount), sum(refunded_amount) "
            "from marts.orders": [(51, 3, 590_683.29, 0)],
            STAGED.format("orders"): [(121, 51, 70)],
        },
    ),
    "shopify_timestamps": (
        "USD",
        {
            REVENUE: [("A", 2, 170), ("B", 1, 50)],
            "select cast(ordered_at as varchar) from marts.orders where order_id = '1001'": [
                ("2024-02-01 03:30:00",)  # 2024-01-31 in New York
            ],
        },
    ),
    "stripe_all_rejected": (
        "USD",
        {
            # failed is a known word, of an order that is cancelled: all are taken, and none counts
            STAGED.format("orders"): [(16, 16, 0)],
            "select count(*) from marts.orders": [(0,)],
        },
    ),
    "versions_without_updated_at": (
        "EUR",
        {
            "select order_id, status, net_amount, is_valid from marts.orders order by 1": [
                ("1", "returned", 0, False),
                ("2", "returned", 0, False),
                ("3", "completed", 120, True),  # by its text alone, hence the warning
                ("4", "completed", 10, True),
            ],
            UNDECIDED: [("undecided_duplicates", "orders", 1, 80)],
            "select customer_id, lifetime_revenue from marts.customers order by 1": [
                ("A", 0),
                ("B", 0),
                ("C", 130),
            ],
        },
    ),
}
MADE_UP = {
    "an order of almost a million millions": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(ORDER, "1,A,2024-01-05,paid,999999999999.99", "2,A,2024-01-06,paid,0.01"),
        },
        "IDR",
        {REVENUE: [("A", 2, 1_000_000_000_000)]},
    ),
    "ten lines of a hundred million": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(ORDER, "1,A,2024-01-05,paid,1000000000"),
            "order_items": rows(
                "order_id,line_number,product_id,line_amount",
                *(f"1,{line},p,100000000.00" for line in range(10)),
            ),
        },
        "VND",
        {REVENUE: [("A", 1, 1_000_000_000)], STAGED.format("order_items"): [(10, 10, 0)]},
    ),
    "a refund in three parts at a rate with eight digits": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(f"{ORDER},currency_code", "1,A,2024-01-05,paid,10.00,JPY"),
            "exchange_rates": rows(
                "rate_date,currency_code,rate_to_reporting", "2024-01-01,JPY,0.04950000"
            ),
            "refunds": rows(
                "refund_id,order_id,refunded_at,refund_amount",
                *("r1,1,2024-02-01,3.33", "r2,1,2024-02-02,3.33", "r3,1,2024-02-03,3.34"),
            ),
        },
        "CNY",
        # 10 x 0.0495 = 0.495, rounded 0.50
        {"select refunded_amount, net_amount from marts.orders": [(0.50, 0)]},
    ),
    "a refund of all but a cent": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(f"{ORDER},currency_code", "1,A,2024-01-05,paid,10.00,USD"),
            "exchange_rates": rows("rate_date,currency_code,rate_to_reporting", "2024-01-01,USD,7"),
            "refunds": rows("refund_id,order_id,refunded_at,refund_amount", "r,1,2024-02-01,9.99"),
        },
        "CNY",
        {"select refunded_amount, net_amount from marts.orders": [(69.93, 0.07)]},
    ),
    "a cancellation that a later export knows, at the same updated_at": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(
                f"{ORDER},cancelled_at,updated_at",
                "1,A,2024-01-05,cancelled,9,2024-01-06,2024-01-07",
                "1,A,2024-01-05,a completed,9,,2024-01-07",
                "1,A,2024-01-05,completed,9,,2024-01-07",
            ),
        },
        "CNY",
        {"select status, net_amount from marts.orders": [("cancelled", 0)], UNDECIDED: []},
    ),
    "a return that the run's date does not know yet": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(
                f"{ORDER},returned_at",
                "1,A,2024-01-05,completed,9,",
                "1,A,2024-01-05,returned,9,2026-02-01",
            ),
        },
        "CNY",
        {
            "select status, net_amount from marts.orders": [("completed", 9)],
            UNDECIDED: [("undecided_duplicates", "orders", 1, 9)],
        },
    ),
    "words for nobody, and a customer called 0": Case(
        {
            "customers": rows("customer_id", "0", "A", "N/A"),
            "orders": rows(
                ORDER,
                *("1,0,2024-01-05,paid,1", "2,\\N,2024-01-05,paid,2", "3, GUEST,2024-01-05,paid,4"),
                *("4,nan,2024-01-05,paid,8", "5,A,2024-01-05,paid,16", "6,00,2024-01-05,paid,32"),
            ),
        },
        "CNY",
        {
            "select customer_id, sum(net_amount) from marts.orders group by 1 order by 1 nulls last": [
                ("0", 1),
                ("00", 32),
                ("A", 16),
                (None, 14),
            ],
            STAGED.format("customers"): [(3, 2, 1)],
        },
    ),
    "zeros where nobody is called 0": Case(
        {
            "customers": rows("customer_id", "A"),
            "orders": rows(ORDER, "1,0,2024-01-05,paid,1", "2,A,2024-01-05,paid,2"),
            "tickets": rows("ticket_id,customer_id,opened_at", "t,0,2024-01-05"),
        },
        "CNY",
        {
            "select customer_id, net_amount from marts.orders order by 1 nulls last": [
                ("A", 2),
                (None, 1),
            ],
            "select source_table, column_name, reject_reason from quality.rejected_records": [
                ("tickets", "customer_id", "missing_value")
            ],
        },
    ),
    "what dates a table lies after the run": Case(
        {
            "customers": rows("customer_id", "A", "B"),
            "orders": rows(ORDER, "1,A,2024-01-05,paid,5", "2,B,2024-01-05,paid,5"),
            "refunds": rows("refund_id,order_id,refunded_at,refund_amount", "r,1,2026-02-01,5"),
            "customer_merges": rows("from_customer_id,into_customer_id,merged_at", "A,B,2026-02-01"),
            "exchange_rates": rows(
                "rate_date,currency_code,rate_to_reporting", "2026-02-01,USD,7", "2026-01-31,USD,7"
            ),
        },
        "CNY",
        {
            REVENUE: [("A", 1, 5), ("B", 1, 5)],
            "select source_table, column_name, reject_reason from quality.rejected_records order by 1": [
                ("customer_merges", "merged_at", "after_run_date"),
                ("exchange_rates", "rate_date", "after_run_date"),
                ("refunds", "refunded_at", "after_run_date"),
            ],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLIC)
def test_public_cases_give_the_right_value(
    compiled: Callable[..., CompiledProject], name: str
) -> None:
    folder = CASES / name / "raw"
    if not folder.is_dir():
        pytest.skip(f"no public cases in {CASES}; set TIERING_CASES to their folder")
    currency, expected = PUBLIC[name]
    check(compiled(), folder, currency, expected)


@pytest.mark.parametrize("name", MADE_UP)
def test_made_up_cases_give_the_right_value(
    compiled: Callable[..., CompiledProject], name: str
) -> None:
    case = MADE_UP[name]
    check(compiled(), case.raw, case.currency, case.expected)


def check(
    project: CompiledProject, raw: RawTables | Path, currency: str, expected: dict[str, list[tuple]]
) -> None:
    in_currency = project.with_text({"'CNY'": f"'{currency}'"})
    with in_currency.build(raw) as connection:
        for query, values in expected.items():
            found = connection.execute(query).fetchall()
            assert [[plain(value) for value in row] for row in found] == [
                list(row) for row in values
            ], query


def plain(value: object) -> object:
    """A decimal as a number that one can write down."""
    return value if isinstance(value, str | bool | None) else float(value)
