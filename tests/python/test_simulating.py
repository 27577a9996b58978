"""Simulations on the sample company's warehouse, beside compiled models, the replay of ladders, and the publication."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from unittest import mock

import duckdb
import pytest
from compiled_project import PROJECT, CompiledProject
from dbt_in_process import dbt, parsed_project
from refresh_in_process import refresh_in_process
from rich.console import Console
from typer.testing import CliRunner, Result

from customer_tiering import cli
from customer_tiering.configuration import load_configuration
from customer_tiering.errors import ExitCode
from customer_tiering.language import Language
from customer_tiering.locking import holding, is_held, locked
from customer_tiering.publishing import MANIFEST, current_publication, tidy
from customer_tiering.replaying import ladders_by_review, read_reviews, replay
from customer_tiering.reporting import reading_publication
from customer_tiering.seeds import read_seeds
from customer_tiering.simulating.outcome import Basis, Outcome
from customer_tiering.simulating.reporting import outcome_as_json, print_outcome
from customer_tiering.simulating.simulation import Request, simulate

RUN_DATE = "2026-01-31"

SeedsOf = Callable[..., Path]


def build_in_process(
    project: Path,
    folder: Path,
    _overrides: Mapping[str, object],
    _progress: object,
    _descriptors: Sequence[int],
    environment: dict[str, str],
    command: list[str],
) -> None:
    """Build as the command says, with the project parsed already."""
    words = command[command.index("build") : command.index("--project-dir")]
    parsed = parsed_project()
    for node in parsed.nodes.values():  # type: ignore[attr-defined]
        if node.resource_type == "seed":
            node.root_path = str(project)
    with mock.patch.dict(os.environ, environment):
        variables = command[command.index("--vars") :]
        dbt(folder, *words, *variables, parsed=parsed)


def simulated(
    warehouse: Path, *, run: Callable[..., object] = build_in_process, **request: object
) -> Outcome:
    asked = Request(**{"overrides": {}, **request})  # type: ignore[arg-type]
    return simulate(PROJECT, warehouse, asked, Console(quiet=True), run)


def not_to_be_run(*_: object) -> None:
    raise AssertionError("nothing was to be built")


def contents(folder: Path) -> dict[str, str]:
    """What is in a folder: each file's digest, each link's target."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def warehouse(sample_warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sample's warehouse after a second refresh, which computed one period; no test may change a byte of it."""
    again = tmp_path_factory.mktemp("again") / "warehouse"
    shutil.copytree(sample_warehouse, again, symlinks=True)
    refresh_in_process(PROJECT / "sample", again, {"run_date": RUN_DATE})
    with duckdb.connect(str(again / "work.duckdb"), read_only=True) as connection:
        computed = connection.execute(
            "select periods - periods_kept, periods from builds.last_build"
        )
        assert computed.fetchone() == (1, 36)
    before = contents(again)
    yield again
    assert contents(again) == before


@pytest.fixture
def broken_warehouse(warehouse: Path, tmp_path: Path) -> Path:
    """A copy of the sample's warehouse, for a test to change."""
    return shutil.copytree(warehouse, tmp_path / "warehouse", symlinks=True)


@pytest.fixture
def seeds_of(tmp_path: Path) -> SeedsOf:
    """A folder with one seed, changed."""

    def made(name: str, change: Callable[[str], str]) -> Path:
        folder = tmp_path / "to_try"
        folder.mkdir(exist_ok=True)
        text = (PROJECT / "seeds" / f"{name}.csv").read_text("utf-8")
        assert change(text) != text
        (folder / f"{name}.csv").write_text(change(text), "utf-8")
        return folder

    return made


def published(warehouse: Path, sql: str, **values: object) -> list[tuple]:
    with reading_publication(warehouse) as connection:
        return connection.execute(sql, values or None).fetchall()


def newest_end(warehouse: Path) -> date:
    [(end,)] = published(warehouse, "select max(period_end) from marts.review_periods")
    return end


# -- No change --------------------------------------------------------------------------------------


def test_the_published_configuration_changes_nobody_and_builds_nothing(warehouse: Path) -> None:
    outcome = simulated(warehouse, run=not_to_be_run)

    assert (outcome.basis, outcome.changes, outcome.movements) == (Basis.PUBLICATION, [], {})
    assert outcome.other_scores == 0
    assert_tiers_are_those_published(outcome, warehouse, newest_end(warehouse))


def test_rules_written_in_another_way_change_nobody_to_the_row(
    warehouse: Path, seeds_of: SeedsOf
) -> None:
    def reversed_rows(text: str) -> str:
        header, *rows = text.splitlines(keepends=True)
        return header + "".join(reversed(rows))

    for seed in ("tiers", "rfm_segments", "lifecycle", "star_ratings"):
        folder = seeds_of(seed, reversed_rows)
    built: list[list[str]] = []

    def building(*arguments: object) -> None:
        built.append(arguments[-1])  # type: ignore[arg-type]
        build_in_process(*arguments)  # type: ignore[arg-type]

    outcome = simulated(warehouse, run=building, seeds=folder)

    assert len(built) == 1
    assert "tiers+,+int_current_tiers" in built[0]
    assert (outcome.movements, outcome.other_scores) == ({}, 0)


def test_what_is_no_longer_published_is_compared_with_a_build_of_its_own(
    broken_warehouse: Path,
) -> None:
    """As after a refresh that failed its audit, or after dbt by itself."""
    with duckdb.connect(str(broken_warehouse / "work.duckdb")) as connection:
        connection.execute("update builds.last_landing set published_run = null")

    outcome = simulated(broken_warehouse)

    assert outcome.basis is Basis.NOT_PUBLISHED
    assert (outcome.movements, outcome.other_scores) == ({}, 0)
    assert_tiers_are_those_published(outcome, broken_warehouse, newest_end(broken_warehouse))


def assert_tiers_are_those_published(outcome: Outcome, warehouse: Path, end: date) -> None:
    sql = "select tier_code, customers, window_revenue from marts.tier_summary where period_end = $end"
    summary = {code: (n, revenue) for code, n, revenue in published(warehouse, sql, end=end)}
    found = {tier.tier_code: (tier.customers, tier.window_revenue) for tier in outcome.tiers}
    assert found == {code: summary.get(code, (0, Decimal())) for code in found}
    assert sum(count for count, _ in found.values()) == sum(count for count, _ in summary.values())


# -- Other rules ------------------------------------------------------------------------------------


def test_other_ladders_from_other_days_on_move_whom_the_replay_moves(
    warehouse: Path, seeds_of: SeedsOf, tmp_path: Path
) -> None:
    """As of a date in the past: gold is easier all along, easier still from July on, and in a year to come."""

    def changed(text: str) -> str:
        header, *rows = text.splitlines(keepends=True)
        ladder = "".join(rows)
        easier = ladder.replace(",gold,3,Gold,黄金,60,55,", ",gold,3,Gold,黄金,56,51,")
        easiest = ladder.replace(",gold,3,Gold,黄金,60,55,", ",gold,3,Gold,黄金,48,43,")
        versions = (easiest.replace("2000-01-01", first) for first in ("2025-07-01", "2027-01-01"))
        return "".join((header, easier, *versions))

    folder, out = seeds_of("tiers", changed), tmp_path / "moves.csv"
    [(end,)] = published(
        warehouse, "select max(period_end) from marts.review_periods where not is_open_period"
    )

    outcome = simulated(warehouse, seeds=folder, as_of=str(end), out=out)

    assert outcome.basis is Basis.OTHER_DATE
    assert_tiers_are_those_published(outcome, warehouse, end)
    expected = moved_by_replay(warehouse, folder / "tiers.csv", end, tmp_path)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["customer_id"]: (row["tier_code"], row["simulated_tier_code"]) for row in rows}
    assert found == expected
    assert len(found) > 10
    assert sum(outcome.movements.values()) == len(found)
    # no score is another one: the ladder itself decides, or what it decided before
    assert {reason for _, reason in outcome.movements} <= {"tier_rules", "earlier_reviews"}
    assert outcome.other_scores == 0
    gold = [change for change in outcome.changes if "enter_score" in change.where.en]
    assert [(change.before, change.after) for change in gold] == [("60", "56")]
    assert outcome.future_versions == [date(2027, 1, 1)]
    assert "2027-01-01 起的等级规则" in shown(outcome, Language.ZH)
    assert f"nothing of it shows as of {end}" in shown(outcome, Language.EN)


def moved_by_replay(
    warehouse: Path, tiers_file: Path, end: date, folder: Path
) -> dict[str, tuple[str, str]]:
    """Who holds another tier at a closed review by the replay of a ladder: the tier published, and that of the replay."""
    shutil.copytree(PROJECT / "seeds", folder / "seeds")
    shutil.copy(tiers_file, folder / "seeds")
    tiers = read_seeds(folder / "seeds").tiers
    with reading_publication(warehouse) as connection:
        reviews = read_reviews(connection)
        ladders = ladders_by_review(tiers, reviews.period_ends)
        [ranks] = replay(reviews, ladders, load_configuration(PROJECT, {}).settings, 1)
        held = connection.execute(
            "select customer_id, tier_rank from marts.customer_periods where period_end = $end order by customer_id",
            {"end": end},
        ).fetchall()
    code_of = {0: "none"} | {tier.tier_rank: tier.tier_code for tier in tiers}
    return {
        customer: (code_of[rank], code_of[int(replayed)])
        for (customer, rank), replayed in zip(held, ranks, strict=True)
        if rank != replayed
    }


def test_other_vars_give_what_the_models_give_with_them(
    warehouse: Path, compiled: Callable[..., CompiledProject], tmp_path: Path
) -> None:
    out = tmp_path / "moves.parquet"
    tried = {"score_profile": "one_off", "tier_grace_periods": 0, "rfm_edges": "fixed"}
    end = newest_end(warehouse)

    outcome = simulated(warehouse, overrides=tried, out=out)

    expected = compiled(run_date=RUN_DATE, as_of_date=str(end), **tried).build_landed(
        warehouse / "work.duckdb"
    )
    expected.execute(
        f"create temp table published_before as from '{publication_rows(warehouse, tmp_path)}'"
    )
    differing = expected.execute(
        "select before.customer_id, before.tier_code, after.tier_code, before.management_score, after.management_score, "
        "before.segment_code, after.segment_code, before.lifecycle_stage, after.lifecycle_stage "
        "from published_before as before full join marts.customer_periods as after "
        "on before.customer_id = after.customer_id and before.period_end = after.period_end "
        f"where coalesce(before.period_end, after.period_end) = date '{end}' "
        "and ((before.tier_code, before.segment_code, before.lifecycle_stage) is distinct from "
        "(after.tier_code, after.segment_code, after.lifecycle_stage)) order by all"
    ).fetchall()
    found = duckdb.sql(
        "select customer_id, tier_code, simulated_tier_code, management_score, simulated_management_score, segment_code, "
        f"simulated_segment_code, lifecycle_stage, simulated_lifecycle_stage from '{out}' "
        "where (tier_code, segment_code, lifecycle_stage) is distinct from "
        "(simulated_tier_code, simulated_segment_code, simulated_lifecycle_stage) order by all"
    ).fetchall()
    assert found == differing
    assert len(found) > 100
    assert {"score"} == {reason for move, reason in outcome.movements if move in ("up", "down")}
    assert out.stat().st_mode & 0o777 == 0o600


def publication_rows(warehouse: Path, folder: Path) -> Path:
    """The newest rows of customer_periods of the publication, in a file."""
    path = folder / "published.parquet"
    with reading_publication(warehouse) as connection:
        connection.execute(f"copy marts.customer_periods to '{path}' (format parquet)")
    return path


def test_benefits_cost_what_customers_and_their_revenue_cost(
    warehouse: Path, tmp_path: Path
) -> None:
    """Only the costs change: nothing is built."""
    folder = tmp_path / "costs"
    folder.mkdir()
    (folder / "tier_benefits.csv").write_text(
        "tier_code,benefit_code,label_en,label_zh,yearly_cost,percent_of_revenue\n"
        "gold,gift,Gift,礼品,12.5,2\ngold,visit,Visit,拜访,0.5,0\n",
        "utf-8",
    )
    outcome = simulated(warehouse, seeds=folder, run=not_to_be_run)

    gold = next(tier for tier in outcome.tiers if tier.tier_code == "gold")
    expected = gold.customers * Decimal(13) + gold.window_revenue * Decimal("0.02")
    assert gold.simulated_benefit_cost == expected.quantize(Decimal("0.01"))
    # as shipped: a gift of 20 and shipping of 60
    assert gold.benefit_cost == gold.customers * Decimal(80)
    others = [tier.simulated_benefit_cost for tier in outcome.tiers if tier.tier_code != "gold"]
    assert others == [Decimal()] * len(others)
    assert (outcome.movements, outcome.other_scores) == ({}, 0)


# -- What is shown ----------------------------------------------------------------------------------


def shown(outcome: Outcome, language: Language) -> str:
    console = Console(width=200, record=True, file=StringIO())
    print_outcome(outcome, console, language)
    return console.export_text()


def test_the_matrix_and_json_say_the_same(warehouse: Path) -> None:
    outcome = simulated(warehouse, run=not_to_be_run)
    move = next(move for move in outcome.moves if move.tier_code == "silver")
    rank = move.simulated_tier_rank + 1
    moves = [
        *(one for one in outcome.moves if one is not move),
        replace(
            move,
            customers=3,
            window_revenue=Decimal("1234.50"),
            simulated_tier_code="gold",
            simulated_tier_rank=rank,
        ),
    ]
    outcome = replace(outcome, moves=moves, movements={("up", "tier_rules"): 3})

    english, chinese = shown(outcome, Language.EN), shown(outcome, Language.ZH)
    written = json.loads(outcome_as_json(outcome, Path("moves.csv")))

    assert (
        f"3 of {outcome.customers:,} customers would hold a higher tier, 0 a lower one: 1,234 CNY"
        in english
    )
    assert (
        f"{outcome.customers:,} 位客户中有 3 位等级会提高，0 位会降低，涉及窗口期收入 1,234 CNY"
        in chinese
    )
    assert "the same score, entry rule of another tier" in english
    assert "分数相同，符合另一等级的进入条件" in chinese
    assert written["higher"] == {"customers": 3, "window_revenue": "1234.50"}
    assert written["compared_with"] == "publication"
    assert written["file"] == "moves.csv"


# -- What is refused --------------------------------------------------------------------------------


def run_command(warehouse: Path, *words: object) -> Result:
    return CliRunner().invoke(
        cli.app, ["simulate", "--warehouse", str(warehouse), *map(str, words)]
    )


def assert_refused(result: Result, code: ExitCode, *words: str) -> None:
    assert result.exit_code == code, result.output
    for text in words:
        assert text in result.stderr.replace("\n", " "), result.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "{reporting_currency: USD}",
            "var reporting_currency: found a var that decides what is landed",
        ),
        ("{tier_level: group}", "var tier_level: found a var"),
        ("{as_of_date: 2025-06-30}", "allowed is --as-of"),
        ("{tier_grace_period: 2}", "did you mean tier_grace_periods?"),
        ("{tier_grace_periods: -1}", "command line, var tier_grace_periods: found -1"),
    ],
)
def test_vars_that_cannot_be_simulated_are_refused(warehouse: Path, given: str, said: str) -> None:
    assert_refused(run_command(warehouse, "--vars", given), ExitCode.CONFIGURATION, said)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tier.csv", "", "'tier.csv', which is no seed (did you mean tiers.csv?)"),
        ("tiers.csv", "tier_code\n", "tiers.csv, line 1: found no column version_valid_from"),
        (
            "star_ratings.csv",
            "star_rating,min_score\n6,0\n",
            "star_ratings.csv, line 2: found star_rating '6'",
        ),
        (
            "tier_benefits.csv",
            "tier_code,benefit_code,label_en,label_zh,yearly_cost,percent_of_revenue\n"
            "gold,gift,Gift,礼品,1,101\n",
            "tier_benefits.csv, line 2: found percent_of_revenue '101'",
        ),
    ],
)
def test_seeds_that_cannot_be_tried_are_refused_by_their_place(
    warehouse: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    folder = tmp_path / "to_try"
    folder.mkdir()
    (folder / name).write_text(text, "utf-8")

    result = run_command(warehouse, "--seeds", folder)

    assert_refused(result, ExitCode.CONFIGURATION, said, str(folder))


def test_what_cannot_be_written_or_was_not_known_is_refused(
    warehouse: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there.csv"
    there.touch()
    for words, said in (
        (("--out", there), "which is there; allowed is a new file"),
        (("--out", tmp_path / "moves.xlsx"), "a name that ends in .csv or .parquet"),
        (("--out", tmp_path / "none" / "moves.csv"), "no such folder"),
        (("--as-of", "2026-02-28"), f"{RUN_DATE}, the date of the last run, or earlier"),
        (("--as-of", "soon"), "var as_of_date: found 'soon'"),
        (("--seeds", tmp_path / "none"), "a folder that cannot be read"),
    ):
        assert_refused(run_command(warehouse, *words), ExitCode.CONFIGURATION, said)


def test_a_warehouse_that_is_not_whole_is_refused(broken_warehouse: Path, tmp_path: Path) -> None:
    assert_refused(run_command(tmp_path), ExitCode.SOURCE, "no publication")
    with locked(broken_warehouse):
        result = run_command(broken_warehouse)
        assert_refused(result, ExitCode.LOCKED, "is running; nothing was done")
    work = broken_warehouse / "work.duckdb"
    with duckdb.connect(str(work)) as connection:
        connection.execute("update builds.last_build set is_complete = false")
    assert_refused(
        run_command(broken_warehouse), ExitCode.SOURCE, "a build that failed, was cut off"
    )
    work.unlink()
    assert_refused(
        run_command(broken_warehouse), ExitCode.SOURCE, "work.duckdb: found no such file"
    )
    publication = current_publication(broken_warehouse)
    assert publication
    manifest = publication / MANIFEST
    manifest.chmod(0o600)
    content = json.loads(manifest.read_text("utf-8")) | {"target": "postgres"}
    manifest.write_text(json.dumps(content), "utf-8")
    assert_refused(run_command(broken_warehouse), ExitCode.SOURCE, "was built by postgres")
    assert list(broken_warehouse.glob("simulation-*")) == []


# -- What is left -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_simulation_leaves_at_most_a_folder_that_the_next_one_removes(
    warehouse: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "customer_tiering", "simulate", "--warehouse", str(warehouse)]
    with subprocess.Popen(
        [*command, "--vars", "{tier_grace_periods: 2}"],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        deadline = monotonic() + 60
        while not list(warehouse.glob("simulation-*/logs")) and monotonic() < deadline:
            sleep(0.05)
        [folder] = warehouse.glob("simulation-*")
        process.send_signal(number)
        process.wait(30)
    left = list(warehouse.glob("simulation-*"))
    if number is signal.SIGINT:
        assert (process.returncode, left) == (128 + number, [])
    else:
        assert left == [folder]
        while is_held(folder) and monotonic() < deadline:  # dbt ends with it
            sleep(0.05)
        simulated(warehouse, run=not_to_be_run)
        assert list(warehouse.glob("simulation-*")) == []


def test_a_refresh_removes_what_a_killed_simulation_left_and_no_other(tmp_path: Path) -> None:
    killed, running = (tmp_path / f"simulation-{name}.partial" for name in ("a", "b"))
    killed.mkdir()
    running.mkdir()
    (tmp_path / "publications").mkdir()

    with holding(running):
        tidy(tmp_path, 7)

    assert (killed.exists(), running.exists()) == (False, True)
