"""A build that goes on from the last one gives what a build from nothing gives, and keeps what it may.

Made-up companies are loaded again and again, with whatever comes late, goes missing or is corrected, and
after each load everything that readers see is compared with a full build of the same raw tables. A
company small enough to count on one's fingers shows which periods are kept, and why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import duckdb
import pytest
from compiled_project import ANY_DATE, CompiledProject, RawTables, end_build
from hypothesis import HealthCheck, Phase, given, settings
from raw_companies import histories

SHOWN = 3  # differing rows shown of each relation

Rows = dict[str, Counter]


def kept_periods(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The ends of the periods that the last build kept."""
    rows = connection.execute(
        "select period_end from intermediate.int_review_periods where is_kept order by 1"
    ).fetchall()
    return [period_end.isoformat() for (period_end,) in rows]


def contents(project: CompiledProject, connection: duckdb.DuckDBPyConnection) -> Rows:
    """The rows of all that is exposed, and of the incremental models, which later builds go on from.

    The number that stands for a customer may differ from build to build, so that it is replaced by
    the customer's id.
    """
    found = {}
    for model in project.models:
        if model.schema in ("marts", "quality", "restricted"):
            query = f"select * from {model.relation}"
        elif model.hook and model.schema != "history":
            query = f"select * from {model.relation}"
            columns = [row[0] for row in connection.execute(f"describe {query}").fetchall()]
            if "customer_key" in columns:
                query = (
                    "select customers.resolved_customer_id, facts.* exclude (customer_key) "
                    f"from {model.relation} as facts left join (select distinct "
                    "customer_key, resolved_customer_id from intermediate.int_customer_keys"
                    ") as customers on facts.customer_key = customers.customer_key"
                )
        else:
            continue
        found[model.name] = Counter(connection.execute(query).fetchall())
    return found


def differences(found: Rows, expected: Rows) -> list[str]:
    """Where the rows of two builds differ; empty when they are equal."""
    lines = []
    for name, rows in expected.items():
        for title, group in (("missing", rows - found[name]), ("unexpected", found[name] - rows)):
            lines += [
                f"{name}, {title}: {row}" for row in sorted(group.elements(), key=repr)[:SHOWN]
            ]
    return lines


def assert_equals_full_build(
    project: CompiledProject,
    connection: duckdb.DuckDBPyConnection,
    raw: RawTables,
    as_of_date: str | None,
) -> None:
    with project.build(raw, as_of_date) as full:
        found = differences(contents(project, connection), contents(project, full))
    assert not found, "\n".join(found)


# -- Any company, any sequence of loads ----------------------------------------------------------------

# A quarter, a week and a month end on the day on which edges are frozen.
FROZEN = {"rfm_edges": "frozen", "rfm_edges_frozen_on": "2024-06-30"}
VARIANTS = {
    "months": (2, {"affinity_min_baskets": 1}),
    "weeks, frozen edges, tiers for a year": (
        1,
        {"review_period": "week", "tier_validity": "anniversary", **FROZEN},
    ),
    "quarters, frozen edges, as of the newest day": (
        4,
        {"review_period": "quarter", "as_of_date": "latest", **FROZEN},
    ),
}


@pytest.fixture(scope="module")
def project(compiled: Callable[..., CompiledProject]) -> CompiledProject:
    return compiled(is_incremental=True, as_of_date=ANY_DATE)


@pytest.mark.parametrize("variant", VARIANTS)
def test_any_sequence_of_loads_gives_what_a_full_build_gives(
    compiled: Callable[..., CompiledProject], variant: str
) -> None:
    examples, project_vars = VARIANTS[variant]
    project = compiled(is_incremental=True, **{"as_of_date": ANY_DATE, **project_vars})
    periods = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(histories())
    def check(loads: list[tuple[str, RawTables]]) -> None:
        connection = None
        for as_of_date, raw in loads:
            as_of_date = as_of_date if project.has_any_date else None
            if connection is None:
                connection = project.build(raw, as_of_date)
                continue
            project.build_again(connection, raw, as_of_date)
            assert_equals_full_build(project, connection, raw, as_of_date)
            periods.update(
                "kept" if is_kept else "computed"
                for (is_kept,) in connection.execute(
                    "select is_kept from intermediate.int_review_periods"
                ).fetchall()
            )
        connection.close()

    check()
    assert set(periods) == {"kept", "computed"}


# -- Which periods are kept ------------------------------------------------------------------------

JUNE, LATER_IN_JUNE = "2024-06-10", "2024-06-12"
ENDS = ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


def order(order_id: str, customer_id: str, day: str, amount: str, **more: str) -> dict[str, str]:
    return {
        "order_id": order_id,
        "customer_id": customer_id,
        "ordered_at": f"{day} 12:00:00",
        "status": "completed",
        "order_amount": amount,
        **more,
    }


# As of 10 June: five closed months from the first order on, and an open one.
COMPANY = {
    "customers": [{"customer_id": name, "city": "Wuhan"} for name in "abc"],
    "orders": [
        order("a1", "a", "2024-01-10", "100.00"),
        order("b1", "b", "2024-02-08", "50.00"),
        order("a2", "a", "2024-02-20", "80.00"),
        order("c1", "c", "2024-03-05", "30.00"),
        order("b2", "b", "2024-04-15", "60.00"),
        order("b4", "b", "2024-04-15", "60.00", status="cancelled", cancelled_at="2024-05-08"),
        order("a3", "a", "2024-05-20", "100.00"),
        order("c2", "c", "2024-06-03", "20.00"),
        # without a rate it is rejected
        order("b3", "b", "2024-03-25", "9.00", currency_code="USD"),
    ],
    "order_items": [
        {"order_id": "b2", "line_number": "1", "product_id": "p", "line_amount": "60"},
        {"order_id": "b4", "line_number": "1", "product_id": "q", "line_amount": "60"},
    ],
    "products": [
        {"product_id": "p", "category": "tea", "product_type": "product"},
        {"product_id": "q", "category": "books", "product_type": "service"},
    ],
    "referrals": [
        {"referral_id": "f", "referrer_customer_id": "a", "referred_at": "2024-02-10"},
    ],
    "tickets": [
        {
            "ticket_id": "t1",
            "customer_id": "b",
            "opened_at": "2024-02-12",
            "ticket_type": "complaint",
        },
        {
            "ticket_id": "t2",
            "customer_id": "a",
            "opened_at": "2024-02-14",
            "ticket_type": "complaint",
            "satisfaction_score": "2",
        },
    ],
    "interactions": [
        {"interaction_id": "w", "customer_id": "b", "occurred_at": "2024-02-09", "channel": "app"},
        {
            "interaction_id": "x",
            "customer_id": "a",
            "occurred_at": "2024-04-02",
            "interaction_type": "usage",
            "duration_seconds": "60",
        },
    ],
    "survey_responses": [
        {
            "response_id": "s1",
            "customer_id": "e",
            "responded_at": "2024-03-15",
            "survey_type": "nps",
            "score": "9",
        }
    ],
    "account_balances": [
        {"customer_id": "a", "balance_date": "2024-02-15", "balance_amount": "500.00"},
    ],
    "customer_attributes": [
        {"customer_id": "a", "attribute": "diet", "value": "vegan", "updated_at": "2024-02-15"},
    ],
}

Company = dict[str, list[dict[str, str]]]


def with_row(table: str, **row: str) -> Company:
    return {**COMPANY, table: [*COMPANY.get(table, []), row]}


def with_order(*columns: str) -> Company:
    return with_row("orders", **order(*columns))


def with_change(table: str, key: str, **columns: str) -> Company:
    """The row whose first column is the key has other values in some columns."""
    return {
        **COMPANY,
        table: [
            {**row, **columns} if next(iter(row.values())) == key else row for row in COMPANY[table]
        ],
    }


def merged(from_customer_id: str, into_customer_id: str) -> Company:
    return with_row(
        "customer_merges",
        from_customer_id=from_customer_id,
        into_customer_id=into_customer_id,
        merged_at="2024-06-05",
    )


def without(customer_id: str) -> Company:
    return {
        table: [row for row in rows if row.get("customer_id") != customer_id]
        for table, rows in COMPANY.items()
    }


# What is found in June or later, as of when, and the last month that is kept: the one before the first in
# which anything became known that was not known so, or had not been seen, before.
LOADS: dict[str, tuple[Company, str, str | None]] = {
    "nothing new, in another order: only the open month is computed": (
        {table: rows[::-1] for table, rows in COMPANY.items()},
        JUNE,
        "2024-05-31",
    ),
    "nothing new two months later: June has closed since": (COMPANY, "2024-08-05", "2024-05-31"),
    "a new order": (with_order("c3", "c", "2024-06-12", "5.00"), LATER_IN_JUNE, "2024-05-31"),
    "a newcomer whose id sorts before all others, who keep their numbers": (
        with_order("0", "A", "2024-06-05", "5.00"),
        JUNE,
        "2024-05-31",
    ),
    "an order planned for later": (
        with_order("c3", "c", "2024-07-12", "5.00"),
        LATER_IN_JUNE,
        "2024-05-31",
    ),
    "a customer moves: no review reads of the city": (
        with_change("customers", "a", city="Xi'an"),
        JUNE,
        "2024-05-31",
    ),
    "a customer turns out to be of the north: trends by region are as now known": (
        with_change("customers", "a", region="north"),
        JUNE,
        "2024-05-31",
    ),
    "an order of February was made in the store": (
        with_change("orders", "a2", channel="store"),
        JUNE,
        "2024-01-31",
    ),
    "the lines of two orders of April were mixed up": (
        {
            **COMPANY,
            "order_items": [
                {**row, "order_id": {"b2": "b4", "b4": "b2"}[row["order_id"]]}
                for row in COMPANY["order_items"]
            ],
        },
        JUNE,
        "2024-03-31",
    ),
    "a late order on the last day of March": (
        with_order("b9", "b", "2024-03-31", "70.00"),
        JUNE,
        "2024-02-29",
    ),
    "a late order on the first day of April": (
        with_order("b9", "b", "2024-04-01", "70.00"),
        JUNE,
        "2024-03-31",
    ),
    "a refund of 2 May of an order of January: April's view of it stands": (
        with_row(
            "refunds",
            refund_id="r",
            order_id="a1",
            refunded_at="2024-05-02",
            refund_amount="40.00",
        ),
        JUNE,
        "2024-04-30",
    ),
    "an order of April cancelled on 8 May: it counted in April": (
        with_change("orders", "b2", status="cancelled", cancelled_at="2024-05-08"),
        JUNE,
        "2024-04-30",
    ),
    "of two orders alike the other one was cancelled on 8 May: the money is the same, the goods are not": (
        {
            **COMPANY,
            "orders": [
                {**row, "order_id": {"b2": "b4", "b4": "b2"}.get(row["order_id"], row["order_id"])}
                for row in COMPANY["orders"]
            ],
        },
        JUNE,
        "2024-04-30",
    ),
    "a corrected amount of an order of February": (
        with_change("orders", "a2", order_amount="85.00"),
        JUNE,
        "2024-01-31",
    ),
    "a first rate for an order of March in another currency": (
        with_row(
            "exchange_rates",
            rate_date="2024-01-01",
            currency_code="USD",
            rate_to_reporting="7.1",
        ),
        JUNE,
        "2024-02-29",
    ),
    "another category of what was bought in April": (
        with_change("products", "p", category="coffee"),
        JUNE,
        "2024-03-31",
    ),
    "a complaint of February closed on 12 April: it was open in March": (
        with_change("tickets", "t1", closed_at="2024-04-12"),
        JUNE,
        "2024-03-31",
    ),
    "a rated complaint closed: its rating counts from then on, and no more from February": (
        with_change("tickets", "t2", closed_at="2024-04-12"),
        JUNE,
        "2024-01-31",
    ),
    "a referral of February that led to a customer on 10 April": (
        with_change("referrals", "f", converted_at="2024-04-10"),
        JUNE,
        "2024-03-31",
    ),
    "a late referral of March": (
        with_row("referrals", referral_id="f2", referrer_customer_id="b", referred_at="2024-03-10"),
        JUNE,
        "2024-02-29",
    ),
    "a late visit of March": (
        with_row(
            "interactions", interaction_id="v", customer_id="a", occurred_at="2024-03-10 09:00"
        ),
        JUNE,
        "2024-02-29",
    ),
    "a late balance of March": (
        with_row(
            "account_balances", customer_id="b", balance_date="2024-03-10", balance_amount="70"
        ),
        JUNE,
        "2024-02-29",
    ),
    "a corrected balance of February": (
        with_change("account_balances", "a", balance_amount="501.00"),
        JUNE,
        "2024-01-31",
    ),
    "another diet since February: attributes are as now known, and change no month": (
        with_change("customer_attributes", "a", value="kosher"),
        JUNE,
        "2024-05-31",
    ),
    "an answer of March of somebody who becomes known": (
        with_row("customers", customer_id="e"),
        JUNE,
        "2024-02-29",
    ),
    "c merged into a: c's facts, from March on, become a's": (
        merged("c", "a"),
        JUNE,
        "2024-02-29",
    ),
    "a merged into c: a's facts, from January on, become c's": (merged("a", "c"), JUNE, None),
    "a first order before all others: months have other numbers": (
        with_order("c0", "c", "2023-11-30", "10.00"),
        JUNE,
        None,
    ),
    "the first order gone: months have other numbers": (without("a"), JUNE, None),
    "all rows of a customer gone": (without("b"), JUNE, "2024-01-31"),
    "all rows gone": ({}, "2024-06-20", None),
    "as of the middle of April again": (COMPANY, "2024-04-15", "2024-03-31"),
    "as of the end of April again: nothing is open, and all is kept": (
        COMPANY,
        "2024-04-30",
        "2024-04-30",
    ),
    "as of a day before the first order": (COMPANY, "2023-12-31", None),
}


@pytest.fixture(scope="module")
def built_in_june(project: CompiledProject) -> Iterator[duckdb.DuckDBPyConnection]:
    with project.build(COMPANY, JUNE) as connection:
        yield connection


@pytest.fixture
def in_june(built_in_june: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The first build of the company, whatever a test makes of it."""
    built_in_june.begin()
    yield built_in_june
    built_in_june.rollback()


def kept_up_to(period_end: str | None) -> list[str]:
    return ENDS[: ENDS.index(period_end) + 1] if period_end else []


@pytest.fixture(scope="module")
def periods(project: CompiledProject) -> CompiledProject:
    """What decides which periods are kept."""
    return project.only("int_review_periods")


@pytest.mark.parametrize("load", LOADS)
def test_the_months_before_the_first_change_are_kept(
    periods: CompiledProject, in_june: duckdb.DuckDBPyConnection, load: str
) -> None:
    raw, as_of_date, last_kept = LOADS[load]
    periods.build_again(in_june, raw, as_of_date)
    assert kept_periods(in_june) == kept_up_to(last_kept)


def together(loads: list[Company]) -> Company:
    """The company with the new and changed rows of all loads; nothing is gone."""
    return {
        table: [
            *(
                row
                for row in COMPANY.get(table, [])
                if all(row in load.get(table, []) for load in loads)
            ),
            *(
                row
                for load in loads
                for row in load.get(table, [])
                if row not in COMPANY.get(table, [])
            ),
        ]
        for table in sorted({table for load in loads for table in load})
    }


def whole_loads() -> dict[str, tuple[Company, str, str | None]]:
    """The loads in June that keep the same months as one; those by which rows go, or of another day, alone."""
    alone, in_june = {}, defaultdict(list)
    for name, (raw, as_of_date, last_kept) in LOADS.items():
        has_all_rows = all(len(raw.get(table, [])) >= len(rows) for table, rows in COMPANY.items())
        if has_all_rows and as_of_date in (JUNE, LATER_IN_JUNE):
            in_june[last_kept].append(raw)
        else:
            alone[name] = (raw, as_of_date, last_kept)
    return alone | {
        f"all that keep the months up to {last_kept}": (together(loads), LATER_IN_JUNE, last_kept)
        for last_kept, loads in in_june.items()
    }


WHOLE_LOADS = whole_loads()


@pytest.mark.parametrize("load", WHOLE_LOADS)
def test_with_kept_months_all_is_as_in_a_full_build(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection, load: str
) -> None:
    raw, as_of_date, last_kept = WHOLE_LOADS[load]
    project.build_again(in_june, raw, as_of_date)
    assert kept_periods(in_june) == kept_up_to(last_kept)
    assert_equals_full_build(project, in_june, raw, as_of_date)


def test_a_build_as_of_an_earlier_day_forgets_what_closed_after_it(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    for as_of_date, last_kept in [
        ("2024-03-15", "2024-02-29"),
        ("2024-06-20", "2024-02-29"),
        ("2024-06-20", "2024-05-31"),
    ]:
        project.build_again(in_june, COMPANY, as_of_date)
        assert kept_periods(in_june) == kept_up_to(last_kept)
    assert_equals_full_build(project, in_june, COMPANY, as_of_date)


def test_a_number_of_somebody_who_is_gone_may_be_given_to_another(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    """Nothing that is kept is of the one before: c's last facts went in the build before."""
    gone, other = without("c"), without("c")
    other["orders"] = [*other["orders"], order("d1", "d", "2024-05-25", "30.00")]
    query = "select max(customer_key) from intermediate.int_customer_keys"
    project.build_again(in_june, gone, JUNE)
    assert in_june.execute(query).fetchone() == (2,)
    project.build_again(in_june, other, JUNE)
    assert in_june.execute(query).fetchone() == (3,)
    assert kept_periods(in_june) == kept_up_to("2024-04-30")
    assert_equals_full_build(project, in_june, other, JUNE)


def test_rfm_alone_between_two_builds_is_of_its_own_day_and_changes_neither(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    """It makes customers, orders and ledger anew, and keeps all that is by period."""
    alone = project.only("customer_rfm")
    assert not any(model.hook for model in alone.models)
    raw = with_order("d1", "d", "2024-04-25", "70.00")
    end_build(in_june)
    alone.land(in_june, raw)
    alone.run(in_june, LATER_IN_JUNE)
    found = contents(alone, in_june)
    assert found["customer_rfm"]
    assert_equals_full_build(alone, in_june, raw, LATER_IN_JUNE)

    project.run(in_june, LATER_IN_JUNE, goes_on=True)
    assert kept_periods(in_june) == kept_up_to("2024-03-31")
    assert contents(alone, in_june) == found
    assert_equals_full_build(project, in_june, raw, LATER_IN_JUNE)


def test_views_give_what_tables_in_their_place_give(
    compiled: Callable[..., CompiledProject], project: CompiledProject
) -> None:
    """The other tests write views out; a build proper reads them anew in every model."""
    with_views = compiled(is_incremental=True, has_views=True, as_of_date=ANY_DATE)
    raw = with_order("b9", "b", "2024-03-20", "70.00")
    with with_views.build(COMPANY, JUNE) as connection:
        with_views.build_again(connection, raw, JUNE)
        assert kept_periods(connection) == kept_up_to("2024-02-29")
        assert_equals_full_build(project, connection, raw, JUNE)


# -- What is kept is not computed ------------------------------------------------------------------

# A value that nothing computes, in a column of each incremental model.
MARKS = {
    "int_alert_reviews": "detail = 777",
    "int_balance_ranks": "contribution = 7.77",
    "int_category_flows": "customers = 777",
    "int_category_revenue": "orders = 777",
    "int_customer_signals": "complaints = 777",
    "int_expected_gaps": "expected_gap_days = 777",
    "int_input_coverage": "covered_customers = 777",
    "int_interaction_counts": "customers = 777",
    "int_period_sales": "customers = 777",
    "int_recommendation_hits": "customers = 777",
    "int_revenue_ranks": "contribution = 7.77",
    "int_rfm_score_edges": "customers = 777",
    "int_score_inputs": "tenure_days = 777",
    "int_tier_reasons": "reason_code = 'marked'",
    "int_tier_states": "qualified_rank = 777",
    "customer_periods": "reason_code = 'marked'",
    "tier_change_details": "component = 'marked'",
}


def marked_rows(
    project: CompiledProject, connection: duckdb.DuckDBPyConnection
) -> dict[str, Counter]:
    """How many marked rows each model has, by period_end."""
    found = {}
    for model in project.models:
        if model.period_column:
            rows = connection.execute(
                f"select cast(periods.period_end as varchar) from {model.relation} "
                f"inner join intermediate.int_review_periods as periods using ({model.period_column}) "
                f"where {MARKS[model.name]}"
            ).fetchall()
            found[model.name] = Counter(period_end for (period_end,) in rows)
    return found


def test_kept_rows_are_those_of_the_build_before(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    """Marked rows of February outlive a build that is about June, and not one that is about March,
    if that has late facts of February; those of the open month outlive none."""
    for model in project.models:
        if model.period_column:
            in_june.execute(
                f"update {model.relation} set {MARKS[model.name]} where {model.period_column} in "
                f"(select {model.period_column} from intermediate.int_review_periods "
                f"where period_end in ('2024-02-29', '{JUNE}'))"
            )
    before = marked_rows(project, in_june)
    assert set(before) == set(MARKS)
    assert not before.pop("int_recommendation_hits")  # no half-year has ended yet
    assert all(rows["2024-02-29"] and set(rows) <= {"2024-02-29", JUNE} for rows in before.values())
    before["int_recommendation_hits"] = Counter()

    raw = with_order("c3", "c", "2024-06-12", "5.00")
    project.build_again(in_june, raw, "2024-06-12")
    february = {name: Counter({"2024-02-29": rows["2024-02-29"]}) for name, rows in before.items()}
    assert marked_rows(project, in_june) == february

    raw = {**raw, "orders": [*raw["orders"], order("a9", "a", "2024-03-20", "1.00")]}
    project.build_again(in_june, raw, "2024-06-12")
    assert marked_rows(project, in_june) == february

    raw = {**raw, "orders": [*raw["orders"], order("b9", "b", "2024-02-20", "1.00")]}
    project.build_again(in_june, raw, "2024-06-12")
    assert not any(marked_rows(project, in_june).values())
    assert_equals_full_build(project, in_june, raw, "2024-06-12")


def test_alerts_resolved_by_the_end_of_a_kept_period_are_kept(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    """Marked alerts lose their mark when the period in which they were resolved, or one before it, is computed anew."""

    def marked() -> Counter:
        rows = in_june.execute(
            "select cast(resolved_on as varchar) from marts.customer_alerts where severity = 'marked'"
        ).fetchall()
        return Counter(resolved_on for (resolved_on,) in rows)

    in_june.execute("update marts.customer_alerts set severity = 'marked'")
    april, may = Counter({"2024-04-30": 2}), Counter({"2024-05-31": 1})
    assert marked() == april + may + Counter({None: 4})

    raw = with_order("c3", "c", "2024-06-12", "5.00")
    project.build_again(in_june, raw, "2024-06-12")
    assert marked() == april + may

    raw = {**raw, "orders": [*raw["orders"], order("a9", "a", "2024-05-20", "1.00")]}
    project.build_again(in_june, raw, "2024-06-12")
    assert marked() == april

    raw = {**raw, "orders": [*raw["orders"], order("b9", "b", "2024-04-20", "1.00")]}
    project.build_again(in_june, raw, "2024-06-12")
    assert not marked()
    assert_equals_full_build(project, in_june, raw, "2024-06-12")


def test_measures_and_rhythms_of_customers_whose_ledger_stands_are_kept(
    project: CompiledProject, in_june: duckdb.DuckDBPyConnection
) -> None:
    """Marked customers keep their marks until their own ledger changes, or an order of theirs leaves the year."""
    marks = {
        "int_measure_changes": "period_orders = 777",
        "int_purchase_rhythms": "order_days = 777",
    }

    def marked() -> dict[str, set[str]]:
        found = {}
        for name, mark in marks.items():
            rows = in_june.execute(
                "select resolved_customer_id, count(*) filter (where not coalesce("
                f"{mark}, false)) from intermediate.{name} inner join "
                "(select distinct customer_key, resolved_customer_id from intermediate.int_customer_keys) "
                "using (customer_key) group by 1"
            ).fetchall()
            found[name] = {customer for customer, others in rows if not others}
        return found

    for name, mark in marks.items():
        in_june.execute(f"update intermediate.{name} set {mark}")
    everybody = marked()["int_measure_changes"]
    assert {"a", "b", "c"} <= everybody

    raw = with_order("c3", "c", "2024-06-12", "5.00")
    project.build_again(in_june, raw, "2024-06-12")
    assert marked() == dict.fromkeys(marks, everybody - {"c"})

    # 182 days after 10 January a's revenue of that day passes into the older half; b's first order follows in August
    project.build_again(in_june, raw, "2024-07-09")
    assert marked()["int_measure_changes"] == everybody - {"c"}
    project.build_again(in_june, raw, "2024-07-10")
    assert marked()["int_measure_changes"] == everybody - {"a", "c"}
