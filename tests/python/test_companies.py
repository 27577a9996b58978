"""Companies: hierarchies of any shape, groups as customers, and what changes when parents do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import comparison
import duckdb
import oracle
import pytest
from compiled_project import ANY_DATE, PROJECT, CompiledProject, RawTables
from oracle.reading import CONTRACT
from test_incremental import assert_equals_full_build, kept_periods
from test_point_in_time import CLOSED, closed_rows

RUN_DATE = date(2026, 1, 31)
LEVELS = ("customer", "group")


def rules(**project_vars: object) -> oracle.Rules:
    return oracle.Rules.from_seeds(PROJECT / "seeds", **project_vars)


def company(customer_id: str, parent: str | None = None, **more: str) -> dict[str, str | None]:
    return {
        "customer_id": customer_id,
        "customer_type": "company",
        "parent_customer_id": parent,
        **more,
    }


def order(number: int, customer_id: str, day: date, amount: str = "100.00") -> dict[str, str]:
    return {
        "order_id": f"o{number}",
        "customer_id": customer_id,
        "ordered_at": f"{day.isoformat()} 12:00:00",
        "status": "completed",
        "order_amount": amount,
    }


def orders_of(names: list[str], seed: int = 1) -> list[dict[str, str]]:
    """None to four orders each over two years."""
    chance = random.Random(seed)
    return [
        order(
            100 * place + number,
            name,
            date(2024, 1, 1) + timedelta(days=chance.randrange(700)),
            f"{chance.randrange(1, 90000)}.{chance.randrange(100):02d}",
        )
        for place, name in enumerate(names)
        for number in range(chance.randrange(5))
    ]


def merge(from_id: str, into_id: str, day: str = "2024-01-01") -> dict[str, str]:
    return {"from_customer_id": from_id, "into_customer_id": into_id, "merged_at": day}


def deep(levels: int) -> RawTables:
    """A chain of companies, and one beside it."""
    names = [f"c{level:04d}" for level in range(levels)]
    parents = [None, *names]
    return {
        "customers": [company(*pair) for pair in zip(names, parents, strict=False)]
        + [company("alone")],
        "orders": orders_of([*names[:: max(1, levels // 20)], "alone"]),
    }


def wide(children: int) -> RawTables:
    """One root with many children, each with one grandchild in ten."""
    names = [f"c{number}" for number in range(children)]
    return {
        "customers": [company("root")]
        + [company(name, "root") for name in names]
        + [company(f"{name}-below", name) for name in names[::10]],
        "orders": orders_of(["root", *names[:40], *(f"{name}-below" for name in names[:40:10])]),
    }


def broken() -> RawTables:
    """Cycles, parents that are nobody or oneself, links below a cycle, and merges that make and mend them."""
    customers = [
        company("a", "b"),
        company("b", "c"),
        company("c", "a"),  # a cycle of three
        company("d", "c"),
        company("e", "d"),  # below it
        company("p", "q"),
        company("q", "p"),
        company("self", "self"),
        company("lost", "nowhere"),
        company("child", "old"),  # of an id that was merged
        company("new", None),
        company("old", "child"),  # its record speaks no more
        company("twin", "twin2"),
        company("twin2", None),  # merged into its own child
        company("x", "y"),
        company("y", "z"),
        company("z", "x2"),  # a cycle by a merge alone
        company("x2", None),
        company("inferred_child", "only_orders"),
        company("w1", "root_w", updated_at="2024-01-01"),
        company("w2", "a", updated_at="2025-01-01"),  # the newest of those merged speaks for w
        company("root_w", None),
    ]
    names = [row["customer_id"] for row in customers]
    return {
        "customers": customers,
        "orders": orders_of([*names, "only_orders", "w"]),
        "customer_merges": [
            merge("old", "new"),
            merge("twin2", "twin"),
            merge("x2", "x"),
            merge("w1", "w"),
            merge("w2", "w"),
        ],
        "referrals": [
            {
                "referral_id": f"r{number}",
                "referrer_customer_id": referrer,
                "referred_customer_id": referred,
                "referred_at": "2025-03-01",
                "converted_at": "2025-04-01",
            }
            for number, (referrer, referred) in enumerate([("d", "e"), ("e", "p"), ("new", "old")])
        ],
    }


def forest(seed: int) -> RawTables:
    """Three dozen companies with parents at random, cycles and all, merges and facts."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(36)]
    orders = orders_of([*names, "stranger"], seed)
    industries = ["technolgy", "Retail", "制造业", "dragons", None]
    sizes = ["1-9", "12", "大型", "huge", None]
    return {
        "customers": [
            company(
                name,
                chance.choice([*names[:12], None, None, "nobody_else"]),
                industry=chance.choice(industries),
                company_size=chance.choice(sizes),
                marketing_consent=chance.choice(["true", "false", None]),
            )
            for name in names
        ],
        "orders": orders,
        "order_items": [
            {
                "order_id": row["order_id"],
                "line_number": "1",
                "product_id": chance.choice("pq"),
                "line_amount": row["order_amount"],
            }
            for row in orders
        ],
        "products": [
            {"product_id": "p", "category": "tea", "product_type": "product"},
            {"product_id": "q", "category": "books", "product_type": "service"},
        ],
        "customer_merges": [merge(*chance.sample(names, 2)) for _ in range(5)],
        "tickets": [
            {
                "ticket_id": f"t{number}",
                "customer_id": chance.choice(names),
                "opened_at": "2025-05-01",
                "ticket_type": "complaint",
            }
            for number in range(10)
        ],
        "interactions": [
            {
                "interaction_id": f"i{number}",
                "customer_id": chance.choice(names),
                "occurred_at": "2025-06-01",
                "interaction_type": chance.choice(["call", "usage"]),
            }
            for number in range(20)
        ],
    }


SHAPES = {
    "deep": deep(60),
    "wide": wide(80),
    "broken": broken(),
    **{f"forest {seed}": forest(seed) for seed in range(3)},
}


def assert_equal(project: CompiledProject, raw: RawTables, **project_vars: str) -> oracle.Result:
    with project.build(raw) as connection:
        result = oracle.compute(raw, rules(**project_vars), RUN_DATE)
        found = comparison.differences(connection, result)
    assert not found, "\n".join(found)
    return result


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_trees_of_any_shape(
    compiled: Callable[..., CompiledProject], shape: str, level: str
) -> None:
    result = assert_equal(compiled(tier_level=level), SHAPES[shape], tier_level=level)
    assert any(rollup.members_with_orders > 1 for rollup in result.account_rollups)
    if shape == "broken":
        reasons = Counter(
            record.reject_reason
            for record in result.rejected_records
            if record.source_table == "customers"
        )
        assert reasons == {"parent_cycle": 8, "self_parent": 2, "unknown_parent": 2}


# -- Large trees -----------------------------------------------------------------------------------

# A chain of 1,000 levels, a root with 100,000 children, and a cycle of 2,000 with a tail of 500.
LARGE_TREES = """
    select 'd' || i as customer_id, if(i > 0, 'd' || (i - 1), null) as parent_customer_id
    from range(1000) as numbers (i)
    union all
    select 'w', null
    union all
    select 'w' || i, 'w' from range(100000) as numbers (i)
    union all
    select 'y' || i, 'y' || ((i + 1) % 2000) from range(2000) as numbers (i)
    union all
    select 't' || i, if(i = 0, 'y0', 't' || (i - 1)) from range(500) as numbers (i)
"""


def test_large_trees(compiled: Callable[..., CompiledProject], tmp_path: Path) -> None:
    """Level by level from the root, and cycles by doubling: a second or two, and an end."""
    duckdb.execute(f"copy ({LARGE_TREES}) to '{tmp_path / 'customers.parquet'}'")
    with compiled().only("int_customer_groups").build(tmp_path) as connection:
        found = connection.execute(
            "select root_customer_id, count(*), max(group_depth) "
            "from intermediate.int_customer_groups group by 1 order by 1"
        ).fetchall()
        reasons = connection.execute(
            "select reject_reason, count(*) from intermediate.int_customer_parents group by 1"
        ).fetchall()
    assert found == [("d0", 1000, 999), ("w", 100_001, 1), ("y0", 501, 500)]
    assert dict(reasons) == {"parent_cycle": 2000, None: 101_499}


# -- Parents change --------------------------------------------------------------------------------


def with_parents(raw: RawTables, **parents: str | None) -> RawTables:
    """The company with other parents."""
    return {
        **raw,
        "customers": [
            {
                **row,
                "parent_customer_id": parents.get(row["customer_id"], row["parent_customer_id"]),
            }
            for row in raw["customers"]
        ],
    }


COMPANIES = {
    "customers": [company(name) for name in ("root", "one", "two", "other", "quiet")],
    "orders": [
        order(1, "root", date(2024, 1, 10)),
        order(2, "one", date(2024, 2, 10), "250.00"),
        order(3, "two", date(2024, 3, 10), "70.00"),
        order(4, "other", date(2024, 4, 10), "40.00"),
        order(5, "one", date(2024, 5, 10), "99.00"),
        order(6, "other", date(2024, 5, 20), "500.00"),
    ],
    "tickets": [
        {
            "ticket_id": "t",
            "customer_id": "two",
            "opened_at": "2024-02-20",
            "ticket_type": "complaint",
        }
    ],
}
# Loads one after the other, and under tier_level group the last month that each keeps. What is known of a customer with
# a new parent becomes the group's from its first fact on.
CHANGES = {
    "one joins root: from one's first order on": ({"one": "root"}, "2024-01-31"),
    "two joins one, and so root: from its complaint on": (
        {"one": "root", "two": "one"},
        "2024-01-31",
    ),
    "quiet, of whom nothing is known, joins too": (
        {"one": "root", "two": "one", "quiet": "one"},
        "2024-05-31",
    ),
    "other gets a root that never ordered": (
        {"one": "root", "two": "one", "other": "quiet"},
        "2024-03-31",
    ),
    "one leaves": ({"two": "one", "other": "quiet"}, "2024-01-31"),
    "root comes below two, and one with it": (
        {"two": "other", "root": "two", "one": "root"},
        None,
    ),
    "a cycle leaves all alone": (
        {"two": "root", "root": "one", "one": "two"},
        None,
    ),
}


@pytest.mark.parametrize("level", LEVELS)
def test_parents_that_change_rewrite_history(
    compiled: Callable[..., CompiledProject], level: str
) -> None:
    project = compiled(is_incremental=True, as_of_date=ANY_DATE, tier_level=level)
    connection = project.build(COMPANIES, "2024-06-10")
    for parents, last_kept in CHANGES.values():
        raw = with_parents(COMPANIES, **parents)
        project.build_again(connection, raw, "2024-06-10")
        kept = kept_periods(connection)
        expected = "2024-05-31" if level == "customer" else last_kept
        assert (kept[-1] if kept else None) == expected, parents
        assert_equals_full_build(project, connection, raw, "2024-06-10")
        result = oracle.compute(
            raw, rules(tier_level=level, as_of_date=date(2024, 6, 10)), RUN_DATE
        )
        found = comparison.differences(connection, result)
        assert not found, "\n".join(found)
    connection.close()


def test_a_group_as_of_a_day_has_the_closed_rows_of_every_later_build(
    compiled: Callable[..., CompiledProject],
) -> None:
    project = compiled(as_of_date=ANY_DATE, tier_level="group").only(
        *(set(CLOSED) - {"alert_reviews"})
    )
    raw, days = forest(7), ["2024-08-31", "2025-03-14"]
    with project.build(raw, "2025-11-20") as connection:
        later = {day: closed_rows(connection, day) for day in days}
    for day in days:
        with project.build(raw, day) as connection:
            found = closed_rows(connection, day)
        assert found["customer_periods"]
        assert found == later[day]


# -- Erasure ---------------------------------------------------------------------------------------

GROUP = with_parents(COMPANIES, one="root", two="one")


def erased(customer_id: str) -> RawTables:
    """The group as it is landed when one of it asks to be forgotten; all agree to marketing."""
    raw = {
        **GROUP,
        "customers": [{**row, "marketing_consent": "true"} for row in GROUP["customers"]],
        "erasure_requests": [{"customer_id": customer_id, "requested_at": "2024-06-01"}],
    }
    whole = {table: raw.get(table, []) for table in CONTRACT}
    rows = {
        table: [{c.name: row.get(c.name) for c in CONTRACT[table].columns} for row in rows]
        for table, rows in whole.items()
    }
    return oracle.erased(rows, rules(), RUN_DATE)


@pytest.mark.parametrize(
    ("customer_id", "roots"),
    [
        # who is erased has no parent, as no other attribute; who is below stays below
        ("two", {"root": "root", "one": "root", "erased_000001": "erased_000001"}),
        ("one", {"root": "root", "erased_000001": "erased_000001", "two": "erased_000001"}),
        (
            "root",
            {"erased_000001": "erased_000001", "one": "erased_000001", "two": "erased_000001"},
        ),
    ],
)
def test_erasing_one_of_a_group_erases_nobody_else(
    compiled: Callable[..., CompiledProject], customer_id: str, roots: dict[str, str]
) -> None:
    raw = erased(customer_id)
    assert_equal(compiled(tier_level="group"), raw, tier_level="group")
    with compiled(tier_level="group").build(raw) as connection:
        rows = connection.execute(
            "select customer_id, root_customer_id, is_erased, has_marketing_consent, tier_code "
            "from marts.customers"
        ).fetchall()
        due = connection.execute(
            "select distinct customer_id from marts.customer_actions where action_code <> 'none'"
        ).fetchall()
    found = {name: root for name, root, *_ in rows}
    assert roots.items() <= found.items()
    for name, _, is_erased, has_consent, tier_code in rows:
        assert is_erased == (name == "erased_000001")
        assert has_consent != is_erased
        assert tier_code != "none" or name == "quiet"
    # nothing is due for a group whose root is erased
    assert ("erased_000001",) not in due
