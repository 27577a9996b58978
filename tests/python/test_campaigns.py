"""Campaigns: intervals are those of the literature, tell an effect from none, and hold-outs are balanced and stay.

The models run on tables made up for them, many campaigns at once; whole companies are compared with the oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

import duckdb
import numpy as np
import oracle
import pytest
from comparison import differences
from compiled_project import ANY_DATE, PROJECT, CompiledProject, RawTables
from oracle.campaigns import Assignment

RUN_DATE = date(2026, 1, 31)
MARTS = ("published_holdouts", "holdout_assignments", "campaign_effects")


class Models:
    """Models of campaigns by name, over tables that a test makes for them."""

    def __init__(self, project: CompiledProject) -> None:
        self.models = {model.name: model for model in project.models}
        self.connection = duckdb.connect()
        for statement in (
            "attach ':memory:' as work",
            "use work",
            *(f"create schema {schema}" for schema in ("intermediate", "marts", "history")),
            "set threads = 1",
        ):
            self.connection.execute(statement)

    def given(self, name: str, query: str) -> None:
        """Make the table that models read under a name."""
        relation = self.models[name].relation
        self.connection.execute(f"create or replace table {relation} as {query}")

    def run(self, *names: str) -> None:
        """Run models as they are made from nothing."""
        for name in names:
            self.given(name, self.models[name].sql)

    def run_again(self, name: str) -> None:
        """Run an incremental model as it goes on from what is there."""
        model = self.models[name]
        self.connection.execute(model.hook)
        self.connection.execute(f"insert into {model.relation} by name {model.sql_to_append}")

    def rows(self, query: str) -> list[tuple]:
        return self.connection.execute(query).fetchall()


@pytest.fixture
def models(compiled: Callable[..., CompiledProject]) -> Iterator[Models]:
    made = Models(compiled(is_incremental=True))
    with made.connection:
        yield made


# -- The interval of the effect ----------------------------------------------------------------------

# Responses and customers of treated and held out; the effect and its bounds as confint_proportions_2indep(method=
# "newcomb") of statsmodels 0.15.0 gives them.
TABLES = [
    ((56, 70, 48, 80), "20.000000 5.243147 33.387265"),
    ((9, 10, 3, 10), "60.000000 17.052272 80.901797"),
    ((6, 7, 2, 7), "57.142857 5.822793 80.624964"),
    ((5, 56, 0, 29), "8.928571 -3.813715 19.256001"),
    ((0, 10, 0, 20), "0.000000 -16.112516 27.753280"),
    ((0, 10, 0, 10), "0.000000 -27.753280 27.753280"),
    ((10, 10, 0, 20), "100.000000 67.908604 100.000000"),
    ((10, 10, 0, 10), "100.000000 60.750935 100.000000"),
    ((1, 1, 0, 1), "100.000000 -12.210872 100.000000"),
    ((0, 1, 1, 1), "-100.000000 -100.000000 12.210872"),
    ((3, 3, 3, 3), "0.000000 -56.149703 56.149703"),
    ((1, 5, 4, 9), "-24.444444 -57.654114 25.107136"),
    ((2, 900, 1, 100), "-0.777778 -5.229319 0.231805"),
    ((880, 9000, 95, 1000), "0.277778 -1.785782 2.058744"),
    ((500, 500, 399, 400), "0.250000 -0.539735 1.402329"),
    ((17, 400, 0, 400), "4.250000 2.405901 6.700205"),
]


def judge(models: Models, tables: list[tuple[int, int, int, int]]) -> None:
    """Make campaign_effects of campaigns 0, 1, ... with these responses and customers."""
    listed = ", ".join(
        f"('{number}', {', '.join(map(str, table))})" for number, table in enumerate(tables)
    )
    models.given(
        "int_campaign_cells",
        f"""
        select
            campaign_id, 'all' as dimension, 'all' as dimension_value, 'contact_group' as assigned_by,
            treated, held_out, 0 as left_out, treated as treated_contacted, 0 as held_out_contacted,
            treated_responses, held_out_responses,
            cast(0 as decimal(18, 2)) as treated_revenue, cast(0 as decimal(18, 2)) as held_out_revenue,
            cast(null as varchar) as interval_key
        from (values {listed}) as tables (
            campaign_id, treated_responses, treated, held_out_responses, held_out
        )
        """,
    )
    models.given(
        "int_campaigns",
        "select campaign_id, null as campaign_name, cast(null as decimal(18, 2)) as cost_amount, true as is_over, "
        "date '2025-01-01' as starts_on, date '2025-01-30' as window_ends_on from intermediate.int_campaign_cells",
    )
    models.given(
        "int_campaign_intervals",
        "select '' as interval_key, cast(0 as decimal(18, 2)) as incremental_revenue_low, "
        "cast(0 as decimal(18, 2)) as incremental_revenue_high where false",
    )
    models.run("campaign_effects")


def test_intervals_are_those_of_statsmodels(models: Models) -> None:
    judge(models, [table for table, _ in TABLES])
    rows = models.rows(
        "select effect, effect_low, effect_high from marts.campaign_effects order by cast(campaign_id as integer)"
    )
    assert [" ".join(map(str, row)) for row in rows] == [expected for _, expected in TABLES]


def test_one_in_twenty_campaigns_without_effect_is_significant(models: Models) -> None:
    """Of 1,000 from 28 to 73, 99.9 % of what chance gives at 5 %; and an effect of five points is found where it is."""
    random = np.random.default_rng(20250101)
    without, with_effect = [], []
    for _ in range(1000):
        treated, held_out = (int(size) for size in random.integers((400, 100), (20_000, 4_000)))
        rate = random.uniform(0.02, 0.6)
        without.append(
            (random.binomial(treated, rate), treated, random.binomial(held_out, rate), held_out)
        )
        responses = random.binomial(treated, rate + 0.05)
        with_effect.append((responses, treated, random.binomial(held_out, rate), held_out))
    judge(models, without)
    [(significant,)] = models.rows(
        "select count(*) from marts.campaign_effects where is_significant"
    )
    assert 28 <= significant <= 73
    judge(models, with_effect)
    [(covered, mean)] = models.rows(
        "select count(*) filter (5 between effect_low and effect_high), avg(effect) from marts.campaign_effects"
    )
    assert 927 <= covered <= 972
    assert abs(float(mean) - 5) < 0.2


# -- As assigned, and revenue ------------------------------------------------------------------------


def assume_company(models: Models) -> None:
    """What models of campaigns read beside campaigns, assignments, contacts and the ledger: nobody was reviewed."""
    for name, columns in {
        "int_review_periods": "1 as period_index, date '2024-12-31' as period_end, false as is_open_period",
        "int_tier_states": "-1 as customer_key, 1 as period_index, 0 as tier_rank",
        "int_tier_names": "0 as tier_rank, 'none' as tier_code",
        "int_score_inputs": "-1 as customer_key, 1 as period_index, 1 as recency_days, 1 as frequency, "
        "1 as r_score, 1 as f_score, 1 as m_score",
        "int_rfm_cells": "1 as r_score, 1 as f_score, 1 as m_score, 'lost' as segment_code",
        "int_as_of": "date '2025-03-31' as as_of_date",
        "int_period_days": "unnest(generate_series(date '2025-01-01', date '2025-03-31', interval 1 day))::date as date_day",
    }.items():
        models.given(name, f"select {columns}")
    models.given(
        "int_campaigns",
        "select campaign_id, null as campaign_name, cast(null as decimal(18, 2)) as cost_amount, true as is_over, "
        "date '2025-01-01' as starts_on, date '2025-01-30' as window_ends_on, date '2024-12-31' as reviewed_on, "
        "date '2025-03-31' as as_of_date from (select distinct campaign_id from people)",
    )
    models.given("int_customers", "select distinct customer_key, customer_id from people")
    models.given(
        "int_customer_ledger",
        "select customer_key, 1 as orders_delta, cast(spent as decimal(18, 2)) as revenue_delta, "
        "date '2025-01-05' as order_date, date '2025-01-05' as known_date from people where spent > 0",
    )


STEPS = ("int_campaign_buckets", "int_campaign_cells", "int_campaign_intervals", "campaign_effects")


def test_who_was_reached_gives_no_false_lift(models: Models) -> None:
    """A campaign without effect reaches those who buy anyway: contacted and held-out customers differ by four points and
    more, groups as assigned do not."""
    random = np.random.default_rng(7)
    customers = 40_000
    rate = random.uniform(0.05, 0.45, customers)
    people = {
        "customer_key": np.arange(customers),
        "is_held_out": random.random(customers) < 0.25,
        "is_reached": random.random(customers) < 2 * rate,
        "spent": np.where(random.random(customers) < rate, 10.0, 0.0),
    }
    models.connection.register("drawn", people)
    models.connection.execute(
        "create table people as select *, 'K' as campaign_id, 'C' || customer_key as customer_id from drawn"
    )
    assume_company(models)
    models.given(
        "int_holdout_assignments",
        "select campaign_id, customer_key, customer_id, case when is_held_out then 'holdout' else 'treatment' end "
        "as contact_group from people",
    )
    models.given(
        "int_campaign_contacts",
        "select campaign_id, customer_key, 'treatment' as contact_group, null as reject_reason, "
        "date '2025-01-01' as contacted_on from people where is_reached and not is_held_out",
    )
    models.run("int_campaign_customers", *STEPS)
    [(naive,)] = models.rows(
        "select 100 * (avg((spent > 0)::int) filter (is_reached and not is_held_out) "
        "- avg((spent > 0)::int) filter (is_held_out)) from people"
    )
    assert naive > 4
    [row] = models.rows(
        "select treated_contacted < treated, held_out_contacted, effect_low < 0 and effect_high > 0, is_significant, "
        "is_revenue_significant, assigned_by from marts.campaign_effects where dimension = 'all'"
    )
    assert row == (True, 0, True, False, False, "holdout_assignments")


def test_intervals_of_skewed_revenue_cover_what_is_true(models: Models) -> None:
    """Three in ten of 1,200 treated and 400 held-out customers spend, a few of them a lot. Of 30 intervals, which are to cover 0 in
    95 %, 26 do at least; the oracle draws the same."""
    random = np.random.default_rng(11)
    size = 30 * 1600
    spends = random.random(size) < 0.3
    people = {
        "campaign_number": np.arange(size) // 1600,
        "customer_key": np.arange(size),
        "is_held_out": np.arange(size) % 4 == 0,
        "spent": np.where(spends, np.round(np.exp(random.normal(4, 1.3, size)), 2), 0.0),
    }
    models.connection.register("drawn", people)
    models.connection.execute(
        "create table people as select *, 'K' || campaign_number as campaign_id, 'C' || customer_key as customer_id from drawn"
    )
    assume_company(models)
    models.given(
        "int_campaign_customers",
        "select campaign_id, customer_id, customer_key, 'contact_group' as assigned_by, "
        "case when is_held_out then 'holdout' else 'treatment' end as contact_group, 1 as is_contacted from people",
    )
    models.run(*STEPS)
    found = "from marts.campaign_effects where dimension = 'all'"
    [(intervals, covering)] = models.rows(
        "select count(incremental_revenue_low), "
        f"count(*) filter (0 between incremental_revenue_low and incremental_revenue_high) {found}"
    )
    assert intervals == 30
    assert covering >= 26
    outcomes = {
        group: [
            oracle.campaigns.Outcome(customer_id, group, True, spent > 0, spent, "none", "prospect")
            for customer_id, spent in models.rows(
                "select customer_id, cast(spent as decimal(18, 2)) from people "
                f"where campaign_id = 'K7' and is_held_out = {group == 'holdout'}"
            )
        ]
        for group in ("treatment", "holdout")
    }
    drawn = oracle.campaigns.bootstrap("K7", outcomes["treatment"], outcomes["holdout"])
    bounds = "incremental_revenue_low, incremental_revenue_high"
    assert models.rows(f"select {bounds} {found} and campaign_id = 'K7'") == [drawn]

    # an interval is kept while its buckets are as they were
    intervals = "work.intermediate.int_campaign_intervals"
    models.connection.execute(f"update {intervals} set incremental_revenue_low = -777")
    models.connection.execute(
        "update intermediate.int_customer_ledger set revenue_delta = revenue_delta + 1 where customer_key = "
        "(select min(customer_key) from people where campaign_id = 'K7' and spent > 0)"
    )
    models.run("int_campaign_buckets", "int_campaign_cells")
    models.run_again("int_campaign_intervals")
    assert {
        name
        for (name,) in models.rows(
            f"select distinct campaign_id from {intervals} where incremental_revenue_low <> -777"
        )
    } == {"K7"}
    [(rows, cells)] = models.rows(f"select count(*), count(distinct interval_key) from {intervals}")
    assert rows == cells == 90


# -- Hold-outs ---------------------------------------------------------------------------------------


def test_holdouts_of_a_thousand_campaigns_are_balanced_and_stay(models: Models) -> None:
    """To one customer in each tier, other customers in each campaign, and whatever is known later."""
    models.connection.execute(
        "create table campaigns as select 'K' || number as campaign_id, "
        "cast(0.5 + (number % 100) * 0.5 as decimal(18, 2)) as percent from range(1000) as numbers (number)"
    )
    models.given("int_as_of", "select date '2025-03-31' as as_of_date")
    models.given(
        "int_campaigns",
        "select campaign_id, cast(null as varchar) as target_tier_code, percent as holdout_percent, false as has_begun, "
        "date '2025-02-28' as reviewed_on, date '2025-03-31' as as_of_date from campaigns",
    )
    models.given("int_review_periods", "select 2 as period_index, date '2025-02-28' as period_end")
    models.given("int_newest_period", "select 3 as period_index, date '2025-03-31' as period_end")
    models.given(
        "int_tier_names",
        "select * from (values (0, 'none'), (1, 'bronze'), (2, 'gold')) as tiers (tier_rank, tier_code)",
    )
    models.given(
        "int_customers",
        "select cast(number as integer) as customer_key, 'C' || number as customer_id, false as is_erased "
        "from range(123) as numbers (number)",
    )
    states = "select customer_key, 2 as period_index, customer_key % {} % 3 as tier_rank from intermediate.int_customers"
    models.given("int_tier_states", states.format(7))
    models.run("int_published_holdouts")
    lists = "from history.published_holdouts"
    [(worst, tiers)] = models.rows(
        f"""
        select max(abs(held_out - percent / 100 * customers)), count(*)
        from (
            select campaign_id, tier_code, count(*) as customers, count(*) filter (contact_group = 'holdout') as held_out
            {lists} group by all
        ) inner join campaigns using (campaign_id)
        """
    )
    assert tiers == 3000
    assert worst <= 0.5
    [(fewest, most)] = models.rows(
        "select min(times), max(times) from "
        f"(select count(*) filter (contact_group = 'holdout') as times {lists} group by customer_id)"
    )
    assert 190 < fewest < most < 320  # of 1,000, a share of 25.25 % on the mean

    before = Counter(models.rows(f"select * {lists}"))
    models.given("int_tier_states", states.format(5))
    models.connection.execute(
        "update intermediate.int_campaigns set holdout_percent = 50, has_begun = holdout_percent > 20"
    )
    models.run_again("int_published_holdouts")
    assert Counter(models.rows(f"select * {lists}")) == before


# -- The life of a campaign --------------------------------------------------------------------------


def order(number: int, customer: str, day: str, amount: str) -> dict[str, str]:
    return {
        "order_id": f"o{number}",
        "customer_id": customer,
        "ordered_at": f"{day} 12:00:00",
        "status": "completed",
        "order_amount": amount,
    }


def campaign(
    campaign_id: str, starts_on: str, percent: str | None, **more: str
) -> dict[str, str | None]:
    return {"campaign_id": campaign_id, "starts_on": starts_on, "holdout_percent": percent, **more}


ORDERS = [
    order(
        10 * number + month,
        f"c{number}",
        f"2025-0{month}-{5 + number}",
        f"{(number + 1) * month}0.00",
    )
    for number in range(12)
    for month in range(1, 1 + number % 4)
]
# as_of_date, and what the raw tables have then
LIFE: list[tuple[str, RawTables]] = [
    # k and g are planned, their reviews are not closed; m has begun without a list
    (
        "2025-04-20",
        {
            "orders": ORDERS,
            "campaigns": [
                campaign("k", "2025-05-10", "50", cost_amount="100"),
                campaign("g", "2025-06-01", "33.33", target_tier_code="Bronze"),
                campaign("m", "2025-04-10", "10"),
                campaign("n", "2025-05-10", None),
            ],
        },
    ),
    # an order comes late, and k holds out fewer
    (
        "2025-04-25",
        {
            "orders": (later := [*ORDERS, order(500, "c0", "2025-04-02", "900.00")]),
            "campaigns": [
                campaign("k", "2025-05-10", "25", cost_amount="100"),
                campaign("g", "2025-06-01", "33.33", target_tier_code="Bronze"),
            ],
        },
    ),
    # the review of April is closed: the list of k is final
    ("2025-05-02", {"orders": later}),
    # late facts and another share change it no more
    (
        "2025-05-06",
        {
            "orders": (late := [*later, order(501, "new", "2025-04-03", "5.00"), order(502, "c4", "2025-04-28", "3000.00")]),
            "campaigns": [
                campaign("k", "2025-05-10", "5", cost_amount="100"),
                campaign("g", "2025-06-01", "33.33", target_tier_code="Bronze"),
            ],
        },
    ),
    # as of an earlier day nothing is assigned, not even a new campaign
    (
        "2025-04-28",
        {
            "campaigns": [
                campaign("k", "2025-05-10", "5", cost_amount="100"),
                campaign("g", "2025-06-01", "33.33", target_tier_code="Bronze"),
                campaign("e", "2025-05-20", "50"),
            ],
        },
    ),
    # k is over and judged; g began before its review was closed in a build: the last list stands. Two are one customer.
    (
        "2025-06-15",
        {
            "orders": [
                *late,
                *(order(600 + number, f"c{number}", "2025-05-12", "70.00") for number in range(0, 12, 2)),
                *(order(700 + number, f"c{number}", "2025-06-01", "30.00") for number in range(0, 12, 3)),
            ],
            "customer_merges": [
                {"from_customer_id": "c1", "into_customer_id": "c2", "merged_at": "2025-06-10"},
                {"from_customer_id": "c3", "into_customer_id": "c5", "merged_at": "2025-06-10"},
                {"from_customer_id": "c8", "into_customer_id": "c9", "merged_at": "2025-06-10"},
            ],
            "campaign_contacts": [
                {"campaign_id": "k", "customer_id": f"c{number}", "contacted_at": "2025-05-10", "contact_group": "treatment"}
                for number in range(6)
            ],
        },
    ),
    # an order of the window is undone, and someone asks to be erased
    (
        "2025-07-20",
        {
            "refunds": [
                {"refund_id": "r", "order_id": "o600", "refunded_at": "2025-07-01", "refund_amount": "70.00"}
            ],
            "erasure_requests": [{"customer_id": "c6", "requested_at": "2025-07-02"}],
            "campaigns": [
                campaign("k", "2025-05-10", "5", cost_amount="100"),
                campaign("g", "2025-06-01", "33.33", target_tier_code="Bronze"),
                campaign("f", "2025-09-01", "50"),
            ],
        },
    ),
]  # fmt: skip


PENDING, JUDGED = "pending", "judged"
# After each build: the lists, and whether they are preliminary; what is said of each campaign; and the warnings.
SEEN: list[tuple[dict[str, bool], dict[str, str], list[tuple[str]]]] = [
    ({"k": True, "g": True}, dict.fromkeys("kgmn", PENDING), [("m",)]),
    ({"k": True, "g": True}, dict.fromkeys("kg", PENDING), []),
    ({"k": False, "g": True}, dict.fromkeys("kg", PENDING), []),
    ({"k": False, "g": True}, dict.fromkeys("kg", PENDING), []),
    ({"k": False, "g": True}, dict.fromkeys("kge", PENDING), []),
    ({"k": False, "g": True}, {"k": JUDGED, "g": PENDING, "e": PENDING}, [("e",)]),
    # the one customer held out of g is left out of it after the merge
    ({"k": False, "g": True, "f": True}, {"k": JUDGED, "g": "no_holdout", "f": PENDING}, []),
]


def test_lists_are_made_once_and_campaigns_judged_by_them(
    compiled: Callable[..., CompiledProject],
) -> None:
    """Each build is what the oracle makes of the lists that were published before it."""
    project = compiled(is_incremental=True, as_of_date=ANY_DATE).only(*MARTS[1:], "warnings")
    raw: dict[str, list] = {}
    published: list[Assignment] = []
    seen = []
    connection = None
    for as_of_date, tables in LIFE:
        raw |= {name: list(rows) for name, rows in tables.items()}
        if connection is None:
            connection = project.build(raw, as_of_date)
        else:
            project.build_again(connection, raw, as_of_date)
        rules = oracle.Rules.from_seeds(PROJECT / "seeds", as_of_date=as_of_date)
        result = oracle.compute(raw, rules, RUN_DATE, published)
        assert differences(connection, result, MARTS) == [], as_of_date
        published = result.published_holdouts
        seen.append(
            (
                {row.campaign_id: row.is_preliminary for row in published},
                dict(
                    connection.execute(
                        "select campaign_id, effect_status from marts.campaign_effects where dimension = 'all'"
                    ).fetchall()
                ),
                connection.execute(
                    "select subject from quality.warnings where warning_code = 'no_holdout_assigned'"
                ).fetchall(),
            )
        )
    connection.close()
    assert seen == SEEN
    assert {row.left_out for row in result.campaign_effects if row.campaign_id == "k"} == {0, 1}
