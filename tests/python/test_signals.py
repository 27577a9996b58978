"""What customers say and do between orders: each source touches only its own, each fact only one way."""

from __future__ import annotations

import csv
import shutil
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from compiled_project import PROJECT

# Which component a source may touch, apart from the management score and what follows from it.
DEPENDENT = {
    "interactions": {"engagement", "partnership"},
    "tickets": {"satisfaction"},
    "survey_responses": {"satisfaction"},
    "referrals": {"loyalty"},
    "account_balances": set(),  # without a weight by the profile retail
}
# Which alerts a source raises, or may silence. The others on purchases do not hear of it.
ALERTS = {
    "interactions": {"silent_high_value"},
    "tickets": {"complaint_surge", "unanswered_complaint", "silent_high_value"},
    "survey_responses": {"detractor_in_high_tier", "silent_high_value"},
    "referrals": set(),
    "account_balances": set(),
}
OF_PURCHASES = ("purchases_slowing", "spend_drop", "unusually_good_period")
COMPONENTS = {"value", "growth", "loyalty", "satisfaction", "engagement", "partnership"}


def component_scores(connection, component: str) -> list[tuple]:
    return connection.execute(
        f"select customer_id, period_end, {component}_score from marts.customer_periods order by all"
    ).fetchall()


def measures(connection) -> list[tuple]:
    return connection.execute(
        "select customer_id, period_end, recency_days, frequency, monetary, r_score, f_score, m_score, "
        "segment_code, lifecycle_stage from marts.customer_periods order by all"
    ).fetchall()


def alerts(connection, codes) -> list[tuple]:
    """Severities apart, which look at the tier."""
    return connection.execute(
        "select customer_id, alert_code, raised_on, resolved_on, value_now, value_before "
        "from marts.customer_alerts where alert_code in (select unnest($1)) order by all",
        [list(codes)],
    ).fetchall()


@pytest.fixture(scope="module")
def project(compiled):
    return compiled().only("customer_periods", "customer_score_details", "customer_alerts")


@pytest.fixture(scope="module")
def whole_sample(project):
    with project.build(PROJECT / "sample") as connection:
        yield connection


@pytest.mark.parametrize("table", DEPENDENT)
def test_a_missing_source_changes_only_what_depends_on_it(project, whole_sample, tmp_path, table):
    shutil.copytree(PROJECT / "sample", tmp_path / "raw")
    (tmp_path / "raw" / f"{table}.csv").unlink()
    with project.build(tmp_path / "raw") as connection:
        assert measures(connection) == measures(whole_sample)
        for component in COMPONENTS - DEPENDENT[table]:
            assert component_scores(connection, component) == component_scores(
                whole_sample, component
            )
        for component in DEPENDENT[table]:
            assert component_scores(connection, component) != component_scores(
                whole_sample, component
            )
        assert alerts(connection, OF_PURCHASES) == alerts(whole_sample, OF_PURCHASES) != []
        for code in ALERTS[table]:
            assert alerts(connection, [code]) != alerts(whole_sample, [code])
        # what nobody knows weighs nothing, and all of it is still one
        unequal = connection.execute(
            "select customer_id from marts.customer_score_details group by customer_id "
            "having sum(weight) <> 1"
        ).fetchall()
        counted = connection.execute(
            "select customer_id from marts.customer_score_details "
            "where normalised_value is null and (weight <> 0 or points <> 0)"
        ).fetchall()
    assert unequal == counted == []


def company(**tables: list[dict]) -> dict[str, list[dict]]:
    """Three customers who buy; a question of the third in January makes tickets known to all."""
    orders = [
        {
            "order_id": f"{customer}{month}",
            "customer_id": customer,
            "ordered_at": f"2025-0{month}-05 10:00:00",
            "status": "completed",
            "order_amount": f"{amount}.00",
        }
        for customer, amount in (("a", 10), ("b", 20), ("c", 30))
        for month in (1, 2, 3, 4)
    ]
    question = {
        "ticket_id": "t0",
        "customer_id": "c",
        "opened_at": "2025-01-06 08:00:00",
        "closed_at": "2025-01-06 09:00:00",
        "ticket_type": "question",
    }
    made = {
        "customers": [{"customer_id": customer} for customer in "abc"],
        "orders": orders,
        "tickets": [question],
    }
    for table, rows in tables.items():
        made[table] = made.get(table, []) + rows
    return made


def scores_of(compiled, customer: str, raw: dict) -> list[tuple]:
    with compiled().only("customer_periods").build(raw) as connection:
        return connection.execute(
            "select management_score, satisfaction_score, loyalty_score, engagement_score, "
            "partnership_score from marts.customer_periods where customer_id = ? order by period_end",
            [customer],
        ).fetchall()


def complaint(number: int, closed_at: str | None) -> dict:
    return {
        "ticket_id": f"t{number}",
        "customer_id": "a",
        "opened_at": "2025-02-10 10:00:00",
        "closed_at": closed_at,
        "ticket_type": "complaint",
    }


def test_more_complaints_never_raise_a_score_and_an_open_one_counts_more(compiled):
    closed = "2025-02-11 10:00:00"
    steps = [
        scores_of(compiled, "a", company(tickets=tickets))
        for tickets in (
            [],
            [complaint(1, closed)],
            [complaint(1, None)],
            [complaint(1, None), complaint(2, closed)],
        )
    ]
    # 100 / (1 + n) with n of 0, 1, 2 (one opened, one open) and 3, from February on
    assert [[row[1] for row in step] for step in steps] == [
        [100, 100, 100, 100],
        [100, 50, 50, 50],
        [100, *[Decimal("33.33")] * 3],
        [100, 25, 25, 25],
    ]
    for fewer, more in pairwise(steps):
        assert all(after[0] <= before[0] for before, after in zip(fewer, more, strict=True))
    assert steps[0][1][0] > steps[3][1][0]


@pytest.mark.parametrize(
    ("table", "lower", "higher", "column"),
    [
        (
            "survey_responses",
            {"response_id": "v", "responded_at": "2025-02-10", "survey_type": "nps", "score": "3"},
            {"response_id": "v", "responded_at": "2025-02-10", "survey_type": "nps", "score": "4"},
            1,
        ),
        (
            "survey_responses",
            {"response_id": "v", "responded_at": "2025-02-10", "survey_type": "csat", "score": "1"},
            {"response_id": "v", "responded_at": "2025-02-10", "survey_type": "csat", "score": "5"},
            1,
        ),
    ],
)  # fmt: skip
def test_more_of_what_is_good_never_lowers_a_score(compiled, table, lower, higher, column):
    before, after = (
        scores_of(compiled, "a", company(**{table: [{"customer_id": "a", **row}]}))
        for row in (lower, higher)
    )
    assert all(new[0] >= old[0] for old, new in zip(before, after, strict=True))
    assert after[1][column] > before[1][column]


def referred(count: int) -> list[dict]:
    return [
        {"referral_id": f"f{n}", "referrer_customer_id": "a", "referred_at": "2025-02-01",
         "converted_at": "2025-02-02"}
        for n in range(count)
    ]  # fmt: skip


def test_more_referrals_never_lower_a_score(compiled):
    fewer, more = (scores_of(compiled, "a", company(referrals=referred(n))) for n in (1, 2))
    assert all(new[0] >= old[0] for old, new in zip(fewer, more, strict=True))
    assert more[-1][2] > fewer[-1][2]


def contact(customer: str, day: str, **more: str) -> dict:
    return {
        "interaction_id": f"{customer}{day}{'-'.join(more.values())}",
        "customer_id": customer,
        "occurred_at": day,
        "interaction_type": "call",
    } | more


def used(customer: str, seconds: str) -> dict:
    return contact(customer, "2025-02-10", interaction_type="usage", duration_seconds=seconds)


@pytest.mark.parametrize(
    ("less", "more", "component"),
    [
        ([contact("a", "2025-02-10")],
         [contact("b", "2025-02-10"), contact("b", "2025-02-11")], "engagement"),
        ([contact("a", "2025-02-10", channel="app")],
         [contact("b", "2025-02-10", channel="app"), contact("b", "2025-02-10", channel="web")],
         "engagement"),
        ([used("a", "60")], [used("b", "61")], "engagement"),
        ([contact("a", "2025-02-10"), contact("a", "2025-02-11")],
         [contact("b", "2025-02-10"), contact("b", "2025-03-11")], "partnership"),
        ([], [contact("b", "2025-02-10", channel="app")], "engagement"),
    ],
    ids=["active days", "channels", "usage time", "months with contact", "any"],
)  # fmt: skip
def test_of_two_alike_customers_who_is_more_in_touch_scores_higher(compiled, less, more, component):
    raw = company(interactions=less + more)
    raw["orders"] = [{**order, "order_amount": "10.00"} for order in raw["orders"]]
    with compiled(score_profile="b2b").build(raw) as connection:
        a, b = (
            connection.execute(
                f"select management_score, {component}_score from marts.customer_periods "
                "where customer_id = ? order by period_end desc limit 1",
                [customer],
            ).fetchone()
            for customer in "ab"
        )
    assert b[0] > a[0]
    assert b[1] > a[1]


def newest_review(connection) -> dict[str, tuple[str, Decimal | None]]:
    """Tier and engagement of those who have a tier at the newest closed review."""
    rows = connection.execute(
        "select customer_id, tier_code, engagement_score from marts.customer_periods "
        "where not is_open_period and tier_code <> 'none' "
        "qualify period_end = max(period_end) over ()"
    ).fetchall()
    return {customer: (tier, engagement) for customer, tier, engagement in rows}


def test_a_source_that_knows_few_customers_changes_few_tiers(compiled, tmp_path):
    """It knows every fiftieth customer with a tier, by 1, 2, 3 ... visits, the last on the same day."""
    project = compiled().only("customer_periods")
    raw = shutil.copytree(PROJECT / "sample", tmp_path / "raw")
    (raw / "interactions.csv").unlink()
    with project.build(raw) as connection:
        without = newest_review(connection)
        (as_of,) = connection.execute("select as_of_date from intermediate.int_as_of").fetchone()

    known = sorted(without)[::50]
    with (raw / "interactions.csv").open("w", encoding="utf-8", newline="") as file:
        visits = [
            contact(customer, f"{as_of - timedelta(days=40 + 7 * week)}", channel="store")
            for place, customer in enumerate(known)
            for week in range(place + 1)
        ]
        writer = csv.DictWriter(file, list(visits[0]))
        writer.writeheader()
        writer.writerows(visits)
    with project.build(raw) as connection:
        with_source = newest_review(connection)

    engaged = [c for c, (_, engagement) in sorted(with_source.items()) if engagement > 90]
    assert engaged == known
    changed = [
        customer
        for customer, (tier, _) in without.items()
        if customer not in with_source or with_source[customer][0] != tier
    ]
    assert len(changed) <= len(without) / 100


def test_a_score_out_of_range_reaches_no_component_and_is_listed(compiled):
    raw = company(
        survey_responses=[
            {"response_id": "v", "customer_id": "a", "responded_at": "2025-02-10",
             "survey_type": "nps", "score": "11"},
        ],
        tickets=[{**complaint(1, None), "ticket_type": "question", "satisfaction_score": "6"}],
    )  # fmt: skip
    with compiled().build(raw) as connection:
        satisfied = connection.execute(
            "select distinct satisfaction_score from marts.customer_periods"
        ).fetchall()
        rejected = connection.execute(
            "select source_table, source_key, action, reject_reason, column_name "
            "from quality.rejected_records order by 1"
        ).fetchall()
    assert satisfied == [(100,)]  # no complaints, and nothing else is known
    assert rejected == [
        ("survey_responses", "v", "rejected", "not_allowed", "score"),
        ("tickets", "t1", "nulled", "not_allowed", "satisfaction_score"),
    ]


def test_a_merge_carries_what_was_said_and_done(compiled):
    said = {
        "survey_responses": [
            {"response_id": "v", "customer_id": "b", "responded_at": "2025-02-10",
             "survey_type": "nps", "score": "2"},
        ],
        "tickets": [{**complaint(1, None), "customer_id": "b"}],
        "interactions": [
            {"interaction_id": "i", "customer_id": "b", "occurred_at": "2025-02-10",
             "interaction_type": "call"},
        ],
        "referrals": [
            {"referral_id": "f", "referrer_customer_id": "b", "referred_customer_id": "c",
             "referred_at": "2025-02-10", "converted_at": "2025-02-11"},
        ],
    }  # fmt: skip
    merge = {"from_customer_id": "b", "into_customer_id": "a", "merged_at": "2025-04-20"}
    apart = scores_of(compiled, "b", company(**said))
    merged = scores_of(compiled, "a", company(**said, customer_merges=[merge]))
    assert [row[1] for row in merged] == [row[1] for row in apart]  # satisfaction
    # b alone was in touch: above two of three and half of itself, then above one of two
    assert [row[3] for row in apart] == [None, *[Decimal("83.33")] * 3]
    assert [row[3] for row in merged] == [None, 75, 75, 75]
    assert scores_of(compiled, "b", company(**said, customer_merges=[merge])) == []
    # among themselves they cannot recommend each other
    own = [{"referral_id": "f", "referrer_customer_id": "b", "referred_customer_id": "a",
            "referred_at": "2025-02-10", "converted_at": "2025-02-11"}]  # fmt: skip
    with compiled().build(company(referrals=own, customer_merges=[merge])) as connection:
        assert connection.execute(
            "select reject_reason from quality.rejected_records where source_table = 'referrals'"
        ).fetchall() == [("self_referral",)]


def test_a_merge_carries_alerts_and_actions(compiled):
    consent = [{"customer_id": c, "marketing_consent": "true"} for c in "abc"]
    said = {**company(tickets=[{**complaint(1, None), "customer_id": "b"}]), "customers": consent}
    merge = {"from_customer_id": "b", "into_customer_id": "a", "merged_at": "2025-04-04"}

    def complained(raw: dict) -> tuple[list, list]:
        with compiled().build(raw) as connection:
            return (
                connection.execute(
                    "select customer_id, severity, raised_on, evidence from marts.customer_alerts "
                    "where alert_code = 'unanswered_complaint'"
                ).fetchall(),
                connection.execute(
                    "select customer_id, because from marts.customer_actions "
                    "where action_code = 'answer_complaint'"
                ).fetchall(),
            )

    # opened on 10 February, the last order is of 5 April
    evidence = '{"days_open": 54, "open_complaints": 1, "open_complaints_before": 1}'
    raised = date(2025, 2, 28)
    because = "A complaint has waited 54 days for an answer."
    apart = ([("b", "high", raised, evidence)], [("b", because)])
    assert complained(said) == apart
    assert complained({**said, "customer_merges": [merge]}) == (
        [("a", "high", raised, evidence)],
        [("a", because)],
    )
