"""The rules of a publication: what names them, and what is said of two that differ; expected by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made_once import PROJECT

from customer_tiering.configuration import load_configuration
from customer_tiering.errors import SourceError
from customer_tiering.language import Language, Words
from customer_tiering.rules import (
    Change,
    RuleChanges,
    Rules,
    changes,
    changes_between,
    read_rules,
    rules_of,
    write_rules,
)

TIERS = "valid_from,tier,enter,keep\n2000-01-01,gold,60,55\n2000-01-01,iron,0,0\n2030-01-01,gold,70,65\n"
RULES = Rules({"tiers.csv": TIERS}, {"window": 365}, {"orders.sql": "aa"}, {"code": "0.1.0"})


def seed_changes(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    """Where, before and after, of a seed whose text has changed."""
    found = changes(replace(RULES, seeds={"s.csv": before}), replace(RULES, seeds={"s.csv": after}))
    return [(one.where.en.removeprefix("seeds/s.csv, "), one.before, one.after) for one in found]


def test_nothing_has_changed() -> None:
    assert changes(RULES, replace(RULES)) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TIERS.replace("60,55", "61,55"), [("row 2000-01-01 gold, enter", "60", "61")]),
        (TIERS + "2030-01-01,iron,1,0\n", [("row 2030-01-01 iron", None, "2030-01-01,iron,1,0")]),
        (TIERS.replace("2000-01-01,iron,0,0\n", ""), [("row 2000-01-01 iron", "2000-01-01,iron,0,0", None)]),
        (
            "valid_from,tier,enter,label\n2000-01-01,gold,60,Gold\n2000-01-01,iron,0,Iron\n2030-01-01,gold,70,Gold\n",
            [("column keep", "keep", None), ("column label", None, "label")],
        ),
        (
            "valid_from,tier,enter,keep\n2030-01-01,gold,70,65\n2000-01-01,gold,60,55\n2000-01-01,iron,0,0\n",
            [("order or writing of its rows", "", "")],
        ),
        (TIERS.replace("\n", "\r\n"), [("order or writing of its rows", "", "")]),
    ],
)  # fmt: skip
def test_a_seed_is_compared_by_row_and_column(
    after: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert seed_changes(TIERS, after) == expected


def test_rows_that_nothing_tells_apart_are_counted() -> None:
    assert seed_changes("a,b\n1,2\n1,2\n", "a,b\n1,2\n3,4\n") == [
        ("row 1,2", "1,2", None),
        ("row 3,4", None, "3,4"),
    ]


def test_what_has_changed_is_said_in_both_languages() -> None:
    after = Rules({"new.csv": "a\n"}, {"window": 30}, {}, {"code": "0.2.0"})
    found = changes(RULES, after)
    assert [change.said() for change in found] == [
        "seeds/new.csv is new",
        "seeds/tiers.csv is gone",
        "var window 365 → 30",
        "mapping, orders.sql is gone",
        "code 0.1.0 → 0.2.0",
    ]
    assert [change.said(Language.ZH) for change in found[:4]] == [
        "seeds/new.csv 为新增",
        "seeds/tiers.csv 已删除",
        "变量 window 365 → 30",
        "映射，orders.sql 已删除",
    ]
    [cell] = changes(RULES, replace(RULES, seeds={"tiers.csv": TIERS.replace("60,55", "61,55")}))
    assert cell.said(Language.ZH) == "seeds/tiers.csv，2000-01-01 gold 行，enter 60 → 61"
    many = RuleChanges(
        "R1", [Change(Words(f"var v{i}", f"变量 v{i}"), "x" * 50, "2") for i in range(7)]
    ).said()
    assert many.en.startswith("Rules that have changed since the last publication (R1): var v0 xxx")
    assert many.en.endswith(f"var v4 {'x' * 37}... → 2; and 2 more.")
    assert many.zh.endswith("；另有 2 项。")


def test_rules_are_those_of_the_project_and_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeds whole; of the vars those on which results depend, not where files are; nothing of the environment."""
    project = tmp_path / "project"
    for name in ("seeds", "dbt_project.yml"):
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        project.mkdir(exist_ok=True)
        copy(PROJECT / name, project / name)
    secret = "canary-0123456789"
    monkeypatch.setenv("DBT_ENV_SECRET_PSEUDONYM_KEY", secret)
    given = {"score_profile": "one_off", "pseudonymise_ids": True, "raw_path": "/private/place"}
    rules = rules_of(project, load_configuration(project, given))
    assert rules.seeds["tiers.csv"] == (PROJECT / "seeds" / "tiers.csv").read_text("utf-8")
    assert {path.name for path in (PROJECT / "seeds").glob("*.csv")} == set(rules.seeds)
    assert (rules.vars["score_profile"], rules.vars["pseudonymise_ids"]) == ("one_off", True)
    assert {"raw_path", "run_date", "audit_max_shrink_percent"} & set(rules.vars) == set()
    assert rules.code["code"] == "0.1.0"  # no repository, so no commit

    write_rules(rules, tmp_path)
    assert read_rules(tmp_path) == rules
    written = (tmp_path / "rules.json").read_text("utf-8")
    assert secret not in written
    assert "/private/place" not in written
    plain = rules_of(project, load_configuration(project, {}))
    one, other = (str(each).split(", ") for each in (plain, rules))
    assert one[0] == other[0]
    assert one[0].startswith("seeds ")
    assert one[1] != other[1]
    assert [change.said() for change in changes(plain, rules)] == [
        "var pseudonymise_ids false → true",
        "var score_profile retail → one_off",
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "no JSON",
        json.dumps({"seeds": {}}),
        json.dumps({"seeds": {"tiers.csv": 1}, "vars": {}, "mapping": {}, "code": {}}),
    ],
)
def test_a_publication_that_does_not_say_its_rules(tmp_path: Path, text: str | None) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    write_rules(RULES, tmp_path / "one")
    if text is not None:
        (tmp_path / "other" / "rules.json").write_text(text)
    with pytest.raises(SourceError, match=r"other: found no readable rules\.json; allowed is"):
        changes_between(tmp_path / "one", tmp_path / "other")
