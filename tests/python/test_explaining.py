"""Why a customer holds a tier: one whose story docs/architecture.md tells, and whom nothing is explained of."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from customer_tiering import cli
from customer_tiering.errors import ExitCode
from customer_tiering.explaining import read_explanation
from customer_tiering.language import Words
from customer_tiering.publishing import PUBLICATION, publish
from customer_tiering.runs import Ledger


def explain(warehouse: Path, *arguments: str) -> Result:
    wide = {"COLUMNS": "200"}
    return CliRunner(env=wide).invoke(
        cli.app, ["explain", "--warehouse", str(warehouse), *arguments]
    )


def explained(warehouse: Path, *arguments: str) -> dict:
    result = explain(warehouse, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_the_last_change_with_its_points_and_limits(sample_warehouse):
    """Platinum is kept from 73 on and entered from 78 on; gold is kept from 55, diamond entered from 87 on."""
    found = explained(sample_warehouse, "C1061", "--to", "2025-06-30")
    april, june = found["reviews"]
    assert (april["period_end"], april["tier_code"]) == ("2025-04-30", "platinum")
    assert (
        june["change_type"],
        june["tier_code_before"],
        june["tier_code"],
        june["reason_code"],
    ) == (*("downgrade", "platinum", "gold", "recency_down"),)
    # the last order was on 25 February
    (reason,) = (moved for moved in june["moved"] if moved["is_reason"])
    assert (reason["input"], reason["value_before"], reason["value_after"]) == (
        *("recency", "64.0000", "125.0000"),
    )
    score = Decimal(june["management_score"])
    listed = sum(Decimal(moved["points_change"]) for moved in june["moved"])
    assert abs(score - Decimal(april["management_score"]) - listed) < 18 - len(june["moved"])
    assert [
        (limit["tier_code"], limit["rule"], limit["binding"], Decimal(limit["points_missing"]))
        for limit in found["limits"]
    ] == [
        ("gold", "keep", [], 0),
        ("platinum", "enter", ["score"], 78 - score),
        ("diamond", "enter", ["score"], 87 - score),
    ]
    assert found["next_review_on"] is None  # of an earlier review nothing lies ahead


def test_all_changes_after_a_date_in_both_languages(sample_warehouse):
    since = ("C1061", "--from", "2025-01-31", "--to", "2025-06-30")
    output = explain(sample_warehouse, *since, "--lang", "en").output
    for words in (
        "Gold, customer C1061, as of 2025-06-30",
        "2025-06-30: Downgraded, from Platinum to Gold",
        "2025-05-31: In grace, stays Platinum",
        "Why: Longer since the last order",
    ):
        assert words in output
    chinese = explain(sample_warehouse, *since, "--lang", "zh").output
    for words in (
        "客户 C1061：黄金（截至 2025-06-30）",
        "2025-06-30：降级，铂金 → 黄金",
        "2025-05-31：宽限期，等级不变：铂金",
        "原因：距上次购买时间变长",
    ):
        assert words in chinese
    assert output.index("Downgraded, from") < output.index("In grace, stays")
    assert "67.76" in output  # the score of May, below the 73 that keep platinum


def test_the_newest_review_says_what_lies_ahead(sample_warehouse):
    found = explained(sample_warehouse, "C1061")
    with duckdb.connect(str(sample_warehouse / PUBLICATION), read_only=True) as connection:
        since, next_review_on, missing = connection.execute(
            "select tier_since, next_review_on, points_to_next from marts.customer_tiers "
            "where customer_id = 'C1061'"
        ).fetchone()
    assert (found["tier_since"], found["next_review_on"]) == (str(since), str(next_review_on))
    assert Decimal(found["limits"][1]["points_missing"]) == missing
    assert str(since) in [one["period_end"] for one in found["reviews"] if one["is_explained"]]


def test_labels_are_shown_as_they_are_on_a_narrow_screen(sample_warehouse, monkeypatch):
    """A label is no markup, and the column of inputs does not vanish beside five of numbers."""

    def with_brackets(*asked):
        found = read_explanation(*asked)
        labels = {
            code: Words(f"{word.en} [/b] :ok:", word.zh) for code, word in found.labels.items()
        }
        return replace(found, labels=labels)

    monkeypatch.setattr(cli, "read_explanation", with_brackets)
    monkeypatch.setattr(cli.console, "_width", 60)
    result = explain(sample_warehouse, "C1061", "--lang", "en")
    assert result.exit_code == 0, result.output
    words = result.output.split()
    assert {"Gold", "[/b]", ":ok:", "Contribution", "Monetary", "2025-06-30"} <= set(words)
    assert max(len(line) for line in result.output.splitlines()) <= 60


ORDERLESS = (
    "select min(customer_id) from marts.customers where not is_erased and customer_id not in "
    "(select customer_id from marts.customer_periods)"
)
ERASED = "select min(customer_id) from marts.customers where is_erased"


@pytest.mark.parametrize(
    ("customer", "options", "sentence"),
    [
        ("'[red]'", (), "found no such customer; allowed is a customer_id of marts.customers"),
        (ERASED, (), "found an erased person; allowed is a customer who has not been erased."),
        (ORDERLESS, (), "found no order that counted; allowed is a customer with one."),
        ("'C1061'", ("--to", "2025-06-29"), "--to: found '2025-06-29'; allowed is the end of a"),
        ("'C1061'", ("--from", "2025-06-30", "--to", "2025-05-31"), "--from: found '2025-06-30'"),
    ],
)
def test_whom_and_when_nothing_is_explained_of(sample_warehouse, customer, options, sentence):
    with duckdb.connect(str(sample_warehouse / PUBLICATION), read_only=True) as connection:
        query = customer if customer.startswith("select") else f"select {customer}"
        (customer_id,) = connection.execute(query).fetchone()
    result = explain(sample_warehouse, customer_id, *options)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert sentence in result.output
    assert len(result.output.splitlines()) == 1


def test_under_pseudonyms_a_plain_id_is_told_so(tmp_path):
    with duckdb.connect(str(tmp_path / "work.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.customers as select repeat('0a', 16) as customer_id, false as is_erased"
        )
    publish(tmp_path, [Ledger(tmp_path).start("refresh")])
    result = explain(tmp_path, "C1")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "allowed is the pseudonym of one, 32 hexadecimal digits" in result.output


def test_of_a_member_of_a_group_the_root_is_named(tmp_path):
    with duckdb.connect(str(tmp_path / "work.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.customers as select 'member' as customer_id, 'root' as reviewed_customer_id, "
            "false as is_erased"
        )
        connection.execute(
            "create table marts.customer_periods as select 'root' as customer_id, date '2025-01-31' as period_end"
        )
    publish(tmp_path, [Ledger(tmp_path).start("refresh")])
    result = explain(tmp_path, "member")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert "a member of a group that is reviewed as one customer" in result.output
    assert "allowed is the root of its group, root" in result.output
