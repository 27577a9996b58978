"""The schedule: every model an asset, every test a check, all of it by the one command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dagster as dg
import pytest

from customer_tiering.errors import ExitCode
from customer_tiering.schedule import Schedule

# Stands in for the command line: notes how it was called, says a word, exits as told.
COMMAND = """
import json, pathlib, sys
code, words, calls, *arguments = sys.argv[1:]
with pathlib.Path(calls).open("a") as file:
    file.write(json.dumps(arguments) + "\\n")
print(words, file=sys.stderr)
sys.exit(int(code))
"""


@pytest.fixture(scope="module")
def manifest(sample_warehouse: Path) -> dict:
    return json.loads((sample_warehouse / "target" / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def schedule(manifest, warehouse, calls, code=ExitCode.OK, words="", **environment) -> Schedule:
    command = (sys.executable, "-c", COMMAND, str(int(code)), words, str(calls))
    variables = {"TIERING_WAREHOUSE": str(warehouse), **environment}
    return Schedule(manifest, variables, command, retry_seconds=0)


def run(definitions: dg.Definitions, job: str = "refresh", **options) -> dg.ExecuteInProcessResult:
    found = definitions.resolve_job_def(job)
    return found.execute_in_process(raise_on_error=False, **options)


def called(calls: Path) -> list[list[str]]:
    return [json.loads(line) for line in calls.read_text().splitlines()]


def test_each_model_is_an_asset_and_each_test_a_check(manifest, sample_warehouse, calls):
    """And what the environment says reaches the command."""
    made = schedule(
        manifest,
        sample_warehouse,
        calls,
        TIERING_RAW="/data/raw",
        TIERING_VARS="{review_period: week}",
        TIERING_CRON="30 2 * * 1",
        TIERING_CRON_ZONE="Asia/Shanghai",
    ).definitions()
    (daily,) = made.schedules
    assert (daily.cron_schedule, daily.execution_timezone) == ("30 2 * * 1", "Asia/Shanghai")
    result = run(made)
    assert result.success
    kinds = [node["resource_type"] for node in manifest["nodes"].values()]
    assets = result.get_asset_materialization_events()
    assert len(assets) == sum(kinds.count(kind) for kind in ("model", "seed", "snapshot"))
    assert dg.AssetKey(["marts", "customer_tiers"]) in {event.asset_key for event in assets}
    checks = result.get_asset_check_evaluations()
    assert {check.passed for check in checks} == {True}
    assert len(checks) == kinds.count("test")
    assert called(calls) == [
        ["refresh", "--raw", "/data/raw", "--warehouse", str(sample_warehouse)]
        + ["--vars", "{review_period: week}"]
    ]


def test_a_failing_test_is_a_failing_check_and_its_sentence_the_failure(
    manifest, sample_warehouse, calls, tmp_path
):
    results = json.loads((sample_warehouse / "target" / "run_results.json").read_text())
    broken = next(r for r in results["results"] if "customer_tiers_key" in r["unique_id"])
    broken.update(status="fail", message="Got 2 results")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "run_results.json").write_text(json.dumps(results))
    failing = schedule(manifest, tmp_path, calls, ExitCode.BUILD, "Error: test x failed.")
    result = run(failing.definitions())
    assert not result.success
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert {(check.asset_key.to_user_string(), check.check_name) for check in failed} == {
        ("marts/customer_tiers", "customer_tiers_key")
    }
    assert result.get_asset_materialization_events() == []
    assert len(called(calls)) == 3
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "tiering exited 4: Error: test x failed." in str(failure.event_specific_data)


def test_a_refresh_whose_results_an_erasure_removed_is_no_failed_run(manifest, tmp_path, calls):
    result = run(schedule(manifest, tmp_path, calls).definitions())
    assert result.success
    checks = result.get_asset_check_evaluations()
    assert len(checks) == sum(n["resource_type"] == "test" for n in manifest["nodes"].values())
    assert all(check.passed for check in checks)
    assert called(calls) == [["refresh", "--warehouse", str(tmp_path), "--vars", "{}"]]


def test_a_build_that_left_no_results_fails_by_its_sentence(manifest, tmp_path, calls):
    failing = schedule(manifest, tmp_path, calls, ExitCode.BUILD, "Error: dbt stopped.")
    result = run(failing.definitions())
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "tiering exited 4: Error: dbt stopped." in str(failure.event_specific_data)


@pytest.mark.parametrize(
    ("code", "is_tried_again"),
    [(ExitCode.SOURCE, True), (ExitCode.LOCKED, True), (ExitCode.CONFIGURATION, False)],
)
def test_only_what_may_mend_is_tried_again(manifest, tmp_path, calls, code, is_tried_again):
    result = run(schedule(manifest, tmp_path, calls, code, "Error: no.").definitions())
    assert not result.success
    assert len(called(calls)) == (3 if is_tried_again else 1)


def test_a_dated_publication_is_as_of_its_date_in_a_folder_of_its_own(manifest, tmp_path, calls):
    made = schedule(manifest, tmp_path, calls, TIERING_DATED_FROM="2025-01-01").definitions()
    asset = next(a for a in made.assets if a.keys == {dg.AssetKey("dated_publications")})
    result = dg.materialize([asset], partition_key="2025-06-30")
    assert result.success
    folder = tmp_path / "as_of" / "2025-06-30"
    assert called(calls) == [
        ["refresh", "--warehouse", str(folder), "--vars", "{}", "--as-of", "2025-06-30"]
    ]
