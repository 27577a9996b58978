"""Movements between two periods: a few customers counted by hand, and the sample by the oracle."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from dbt_in_process import compiled_code
from oracle import movements as oracle
from oracle.rfm import Edges
from typer.testing import CliRunner

from customer_tiering import cli
from customer_tiering.errors import ExitCode
from customer_tiering.movements import read_movements
from customer_tiering.publishing import PUBLICATION, open_publication, publish
from customer_tiering.runs import Ledger

# customer, period end, tier, rank, change, reason, recency, frequency, monetary, r, f, m
# up_alone rises by itself: by the old edges 5 + 5 + 5 instead of 3 + 3 + 3, by the new ones 14.
# up_by_edges has 3 + 3 + 3 by the old edges and 4 + 3 + 4 by the new. down_by_others has 5 + 4 + 3
# by the old edges, as before, and 11 by the new. wavers goes up and comes back. lapses has a recency of
# which the old edges would make 2, but who has lapsed scores 1 + 1 + 1.
ROWS = """
    ('up_alone', '2025-01-31', 'silver', 2, 'keep', null, 25, 3, 30.00, 3, 3, 3),
    ('up_by_edges', '2025-01-31', 'silver', 2, 'keep', null, 25, 3, 30.00, 3, 3, 3),
    ('down_by_others', '2025-01-31', 'gold', 3, 'keep', null, 5, 4, 25.00, 5, 4, 3),
    ('down_by_rules', '2025-01-31', 'gold', 3, 'keep', null, 5, 4, 25.00, 5, 4, 3),
    ('lapses', '2025-01-31', 'silver', 2, 'keep', null, 25, 3, 30.00, 3, 3, 3),
    ('wavers', '2025-01-31', 'silver', 2, 'keep', null, 25, 3, 30.00, 3, 3, 3),
    ('wavers', '2025-02-28', 'gold', 3, 'upgrade', 'recency_up', 5, 3, 30.00, 5, 3, 3),
    ('up_alone', '2025-02-28', 'bronze', 1, 'downgrade', 'refund', 5, 3, 30.00, 5, 3, 3),
    ('up_alone', '2025-03-31', 'gold', 3, 'upgrade', 'frequency_up', 5, 5, 50.00, 5, 5, 4),
    ('up_by_edges', '2025-03-31', 'gold', 3, 'upgrade', 'recency_up', 25, 3, 30.00, 4, 3, 4),
    ('down_by_others', '2025-03-31', 'silver', 2, 'downgrade', 'relative_position', 5, 4, 25.00, 5, 3, 3),
    ('down_by_rules', '2025-03-31', 'silver', 2, 'downgrade', 'rule_change', 5, 4, 25.00, 5, 4, 3),
    ('lapses', '2025-03-31', 'none', 0, 'leave', 'inactivity', 35, 0, 0.00, 1, 1, 1),
    ('wavers', '2025-03-31', 'silver', 2, 'downgrade', 'recency_down', 25, 3, 30.00, 3, 3, 3),
    ('new', '2025-03-31', 'gold', 3, 'enter', 'first_order', 1, 1, 99.00, 5, 1, 5),
    ('new', '2025-04-15', 'gold', 3, 'keep', null, 1, 1, 99.00, 5, 1, 5)
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "work.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.review_periods as select period_end::date as period_end, is_open_period "
            "from (values ('2025-01-31', false), ('2025-02-28', false), ('2025-03-31', false), "
            "('2025-04-15', true)) as periods (period_end, is_open_period)"
        )
        connection.execute(
            "create table marts.customer_periods as select * replace (period_end::date as period_end) "
            f"from (values {ROWS}) as rows (customer_id, period_end, tier_code, tier_rank, "
            "change_type, reason_code, recency_days, frequency, monetary, r_score, f_score, m_score)"
        )
        connection.execute(
            "create table marts.rfm_score_edges as select date '2025-01-31' as period_end, * "
            "from (values ('recency', 10, 20, 30, 40), ('frequency', 1, 2, 3, 4), "
            "('monetary', 10, 20, 30, 40)) as edges (metric, edge_1, edge_2, edge_3, edge_4)"
        )
        connection.execute(
            "create table marts.labels as from (values ('reason_code', 'refund', 'Refunds', '退款'), "
            "('tier', 'gold', 'Gold', '黄金')) as labels (kind, code, label_en, label_zh)"
        )
    publish(tmp_path, [Ledger(tmp_path).start("refresh")])
    return tmp_path


def test_each_move_is_counted_once_with_its_reason_and_cause(warehouse):
    found = read_movements(warehouse, "2025-01-31", "2025-03-31")
    assert (found.from_end, found.to_end, found.customers) == (
        date(2025, 1, 31),
        date(2025, 3, 31),
        7,
    )
    assert found.transitions == [
        ("gold", "silver", 2, Decimal("50.00")),
        ("silver", "gold", 2, Decimal("80.00")),
        ("silver", "none", 1, Decimal("0.00")),
        ("none", "gold", 1, Decimal("99.00")),
    ]
    # The refund that lowered up_alone in between is no reason why it rose.
    assert {(is_up, reason, customers) for is_up, reason, _, customers, _ in found.reasons} == {
        (True, "frequency_up", 1),
        (True, "recency_up", 1),
        (True, "first_order", 1),
        (False, "relative_position", 1),
        (False, "rule_change", 1),
        (False, "inactivity", 1),
    }
    assert [share for *_, share in found.reasons] == pytest.approx([1 / 3] * 6)
    assert {cause: customers for cause, customers, _ in found.causes} == {
        "own": 3,
        "others": 2,
        "rules": 1,
    }


def test_no_tier_is_the_same_in_a_publication_of_an_earlier_release(warehouse):
    """That release had NULL for it."""
    found = read_movements(warehouse, "2025-01-31", "2025-03-31")
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        connection.execute(
            "update marts.customer_periods set tier_code = null where tier_code = 'none'"
        )
    publish(warehouse, [Ledger(warehouse).start("refresh")])
    assert read_movements(warehouse, "2025-01-31", "2025-03-31") == found


def test_the_change_of_scores_is_divided_by_the_edges_of_the_earlier_end(warehouse):
    found = read_movements(warehouse, "2025-01-31", "2025-03-31")
    # Up: (14 - 9) and (11 - 9), of which 6 and 0 are their own. Down: -1, 0 and 3 - 9, own 0, 0, -6.
    assert found.points == [(True, 2, 3.5, 3.0), (False, 3, pytest.approx(-7 / 3), -2.0)]


def test_without_dates_the_newest_closed_period_is_compared(warehouse):
    found = read_movements(warehouse, None, None)
    assert (found.from_end, found.to_end) == (date(2025, 1, 31), date(2025, 3, 31))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--to", "2025-04-15"), "--to: found '2025-04-15'; allowed is the end of a closed period"),
        (
            ("--from", "2025-03-31"),
            "--from: found '2025-03-31'; allowed is the end of a closed period",
        ),
        (("--from", "march"), "--from: found 'march'; allowed is the end of a closed period"),
    ],
)
def test_a_date_that_ends_no_closed_period_is_refused(warehouse, arguments, sentence):
    result = CliRunner().invoke(cli.app, ["movements", "--warehouse", str(warehouse), *arguments])
    assert result.exit_code == ExitCode.CONFIGURATION
    assert sentence in result.stderr


def test_the_command_prints_all_of_it(warehouse, monkeypatch):
    """By labels, in the language that is asked for; where a label lacks, by its code."""
    monkeypatch.setenv("COLUMNS", "60")

    def printed(*options):
        given = ["movements", "--warehouse", str(warehouse), *options]
        result = CliRunner().invoke(cli.app, given)
        assert result.exit_code == ExitCode.OK
        return result.stdout

    words = [line.split() for line in printed().splitlines()]
    assert ["Gold", "silver", "2", "50"] in words
    assert ["New", "rules", "1", "16.7", "%"] in words
    assert ["up", "2", "+3.50", "+3.00", "+0.50"] in words
    assert "Movements from 2025-01-31 to 2025-03-31: 6 of 7 customers" in printed()
    words = [line.split() for line in printed("--lang", "zh").splitlines()]
    assert ["黄金", "silver", "2", "50"] in words
    assert ["规则变更", "1", "16.7", "%"] in words
    assert ["上升", "2", "+3.50", "+3.00", "+0.50"] in words
    found = json.loads(printed("--json"))
    assert (found["from"], found["to"], found["customers"]) == ("2025-01-31", "2025-03-31", 7)
    assert found["transitions"][0] == {
        **{"from_tier": "gold", "to_tier": "silver", "customers": 2, "revenue": "50.00"},
        **{"from_label_en": "Gold", "from_label_zh": "黄金"},
        **{"to_label_en": "silver", "to_label_zh": "silver"},
    }
    assert {cause["cause"]: cause["customers"] for cause in found["causes"]} == {
        **{"own": 3, "others": 2, "rules": 1},
    }


SAMPLE_ENDS = [
    (date(2024, 11, 30), date(2025, 11, 30)),
    (date(2025, 10, 31), date(2025, 11, 30)),
    (date(2023, 2, 28), date(2024, 8, 31)),
]


def moves_by_oracle(warehouse: Path, from_end: date, to_end: date) -> list[oracle.Move]:
    with open_publication(warehouse / PUBLICATION) as connection:
        rows = connection.execute(
            "select customer_id, period_end, tier_code, tier_rank, change_type, reason_code, "
            "recency_days, frequency, monetary, r_score, f_score, m_score from marts.customer_periods"
        ).fetchall()
        edges = connection.execute(
            "select period_end, metric, method, edge_1, edge_2, edge_3, edge_4, customers, "
            "is_small_population from marts.rfm_score_edges"
        ).fetchall()
    by_period = {(end, metric): Edges(end, metric, *others) for end, metric, *others in edges}
    return oracle.moves([oracle.PeriodRow(*row) for row in rows], by_period, from_end, to_end)


@pytest.mark.parametrize(("from_end", "to_end"), SAMPLE_ENDS)
def test_movements_of_the_sample_are_those_of_the_oracle(sample_warehouse, from_end, to_end):
    found = read_movements(sample_warehouse, from_end.isoformat(), to_end.isoformat())
    moves = moves_by_oracle(sample_warehouse, from_end, to_end)
    assert {(f, t): customers for f, t, customers, _ in found.transitions} == Counter(
        (move.from_tier_code, move.to_tier_code) for move in moves
    )
    assert {cause: customers for cause, customers, _ in found.causes} == Counter(
        move.cause for move in moves
    )
    with open_publication(sample_warehouse / PUBLICATION) as connection:
        labels = dict(
            connection.execute(
                "select code, label_en from marts.labels where kind = 'reason_code'"
            ).fetchall()
        )
    assert {(is_up, reason): customers for is_up, reason, _, customers, _ in found.reasons} == (
        Counter((move.is_up, labels[move.reason_code]) for move in moves)
    )
    for is_up, customers, gained, gained_by_self in found.points:
        scored = [m for m in moves if m.is_up == is_up and m.points_gained is not None]
        assert customers == len(scored)
        assert gained == pytest.approx(sum(m.points_gained for m in scored) / customers)
        assert gained_by_self == pytest.approx(
            sum(m.points_gained_by_self for m in scored) / customers
        )


def test_the_query_of_the_drift_gives_the_movements_of_the_oracle(sample_warehouse):
    from_end, to_end = SAMPLE_ENDS[0]
    project_vars = {"drift_from": from_end.isoformat(), "drift_to": to_end.isoformat()}
    query = compiled_code(project_vars)["tier_drift"]
    with duckdb.connect(str(sample_warehouse / "work.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select from_tier_code, to_tier_code, reason_code, cause, customers, "
            f"from_period_end, to_period_end from ({query})"
        ).fetchall()
    moves = moves_by_oracle(sample_warehouse, from_end, to_end)
    assert Counter({tuple(key): customers for *key, customers, _, _ in found}) == Counter(
        (move.from_tier_code, move.to_tier_code, move.reason_code, move.cause) for move in moves
    )
    assert {tuple(row[-2:]) for row in found} == {(from_end, to_end)}
    assert {move.cause for move in moves} >= {"own", "others"}
