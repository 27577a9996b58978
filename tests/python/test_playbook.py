"""The playbook as it ships: every entry leads somebody to its action, and everybody to some action."""

from __future__ import annotations

import csv
from itertools import product

import duckdb
import pytest
from compiled_project import PROJECT

STAGES = "prospect new developing active at_risk dormant lost won_back".split()
MOST_ACTIONS = 3


def seed(name: str) -> list[dict[str, str]]:
    with open(PROJECT / "seeds" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def every_state() -> list[tuple]:
    """A customer for each tier, segment, stage, answer about consent, and alert or none."""
    ranks = {0} | {int(row["tier_rank"]) for row in seed("tiers")}
    maps = {r["segment_code"] for r in seed("rfm_segments") if r["segment_map"] == "standard"}
    segments = maps | {"lapsed", "prospect"}
    alerts = {row["alert_code"] for row in seed("alert_rules")}
    states = product(
        sorted(ranks), sorted(segments), STAGES, (True, False, None), (None, *sorted(alerts))
    )
    return [(number, *state) for number, state in enumerate(states)]


@pytest.fixture(scope="module")
def actions(compiled) -> duckdb.DuckDBPyConnection:
    """The mart customer_actions over those customers, beside them as `states`."""
    project = compiled()
    (model,) = (model for model in project.models if model.name == "customer_actions")
    with project.build({}) as connection:
        connection.execute(
            "create table states (customer_key int, tier_rank int, segment_code text, "
            "lifecycle_stage text, consent boolean, alert_code text)"
        )
        columns = [list(column) for column in zip(*every_state(), strict=True)]
        connection.execute(
            "insert into states select unnest(?), unnest(?), unnest(?), unnest(?), unnest(?), "
            "unnest(?)",
            columns,
        )
        for relation, query in {
            "marts.customers": "select customer_key::text as customer_id, "
            "customer_key::text as reviewed_customer_id, segment_code, lifecycle_stage, "
            "tier_rank, consent as has_marketing_consent, false as is_erased from states",
            "intermediate.int_customers": "select customer_key, customer_key::text as customer_id from states",
            "intermediate.int_newest_period": "select 1 as period_index, date '2025-12-31' as period_end",
            "intermediate.int_alert_reviews": "select customer_key, 1 as period_index, alert_code, "
            "1.00 as measure, 2.00 as value_now, 3.00 as value_before, 4.00 as detail "
            "from states where alert_code is not null",
        }.items():
            connection.execute(f"create or replace table {relation} as {query}")
        connection.execute("drop table marts.customer_actions")
        connection.execute(f"create table {model.relation} as ({model.sql})")
        yield connection


def test_every_entry_is_reached(actions):
    reached = actions.execute("select distinct priority from marts.customer_actions").fetchall()
    assert {row for (row,) in reached} == {int(row["priority"]) for row in seed("playbook")}


def test_every_state_has_an_action_or_an_explicit_none(actions):
    without, with_both, too_many = actions.execute(
        """
        select
            count(*) filter (found is null),
            count(*) filter (has_none and found > 1),
            count(*) filter (found > $1)
        from states
        left join (
            select customer_id, count(*) as found, bool_or(action_code = 'none') as has_none
            from marts.customer_actions
            group by 1
        ) on customer_id = customer_key::text
        """,
        [MOST_ACTIONS],
    ).fetchone()
    assert (without, with_both, too_many) == (0, 0, 0)


def test_nobody_is_kept_and_sold_to_at_once(actions):
    stances = actions.execute(
        "select distinct list_sort(list_distinct(list(stance))) from marts.customer_actions "
        "group by customer_id"
    ).fetchall()
    assert {("expand", "protect"), ("expand", "neutral", "protect")} & {
        tuple(row) for (row,) in stances
    } == set()
    assert ("expand",) in {tuple(row) for (row,) in stances}


def test_without_consent_there_is_service_only(actions):
    marketing = {row["action_code"] for row in seed("playbook") if row["is_marketing"] == "true"}
    found = actions.execute(
        "select consent, action_code from marts.customer_actions "
        "inner join states on customer_id = customer_key::text group by all"
    ).fetchall()
    assert {action for consent, action in found if consent} & marketing == marketing
    assert {action for consent, action in found if not consent} & marketing == set()


def test_an_answer_to_a_complaint_comes_first_and_sells_nothing(actions):
    found = actions.execute(
        "select distinct stance from marts.customer_actions "
        "inner join states on customer_id = customer_key::text "
        "where alert_code = 'unanswered_complaint'"
    ).fetchall()
    assert {stance for (stance,) in found} == {"protect", "neutral"}


def test_on_the_sample_nearly_every_entry_has_somebody(sample_warehouse):
    with duckdb.connect(str(sample_warehouse / "work.duckdb"), read_only=True) as connection:
        query = "select distinct priority from marts.customer_actions"
        reached = {priority for (priority,) in connection.execute(query).fetchall()}
    # nobody's complaints have surged at the end of the sample
    assert {int(row["priority"]) for row in seed("playbook")} - reached == {20}
