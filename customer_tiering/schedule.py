"""Dagster definitions: every model an asset, every data test a check, all made by `tiering refresh`.

Dagster only says when, shows what came of it and tries again; building, auditing and publishing are
the command's. What is refreshed comes from the environment, as Dagster loads this module by name:

    TIERING_RAW          folder of the raw tables; without it what the vars raw_path or raw_schema say
    TIERING_WAREHOUSE    folder of the warehouse (default `warehouse`)
    TIERING_VARS         vars that differ from dbt_project.yml, a YAML mapping (default none)
    TIERING_CRON         when to refresh, a cron line (default 0 5 * * *, daily at five)
    TIERING_CRON_ZONE    the IANA zone of that line (default UTC)
    TIERING_DATED_FROM   first date of the dated publications (default 2024-01-01)
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg

from customer_tiering.erasures import DATED
from customer_tiering.errors import ExitCode
from customer_tiering.publishing import PUBLICATION

PROJECT = Path(__file__).resolve().parent.parent
# What a second attempt cannot mend.
FINAL = {ExitCode.CONFIGURATION}
RETRIES = 2
RETRY_SECONDS = 300  # before the first, twice as long before the second


class Schedule:
    """Definitions for one warehouse. What starts the command line, and how long to wait before it is
    tried again, are for tests to replace.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        environment: dict[str, str],
        command: tuple[str, ...] = (sys.executable, "-m", "customer_tiering"),
        retry_seconds: int = RETRY_SECONDS,
    ) -> None:
        self.nodes = _in_order(
            {
                unique_id: node
                for unique_id, node in manifest["nodes"].items()
                if node["resource_type"] in ("model", "seed", "snapshot")
            }
        )
        self.tests = {
            unique_id: node
            for unique_id, node in manifest["nodes"].items()
            if node["resource_type"] == "test" and _tested(node, self.nodes) in self.nodes
        }
        self.command = command
        self.retries = dg.RetryPolicy(
            max_retries=RETRIES, delay=retry_seconds, backoff=dg.Backoff.EXPONENTIAL
        )
        self.raw = environment.get("TIERING_RAW")
        self.warehouse = Path(environment.get("TIERING_WAREHOUSE", "warehouse")).resolve()
        self.vars = environment.get("TIERING_VARS", "{}")
        self.cron = environment.get("TIERING_CRON", "0 5 * * *")
        self.zone = environment.get("TIERING_CRON_ZONE", "UTC")
        self.dated_from = date.fromisoformat(environment.get("TIERING_DATED_FROM", "2024-01-01"))

    def definitions(self) -> dg.Definitions:
        """The assets with their checks, the daily refresh, and the backfill of dated publications."""
        refresh = dg.define_asset_job(
            "refresh", selection=dg.AssetSelection.groups(*self._groups())
        )
        daily = dg.ScheduleDefinition(
            name="daily_refresh", job=refresh, cron_schedule=self.cron, execution_timezone=self.zone
        )
        return dg.Definitions(
            assets=[self._assets(), self._dated_publications()],
            jobs=[refresh],
            schedules=[daily],
            # The command's lock would turn a second refresh away: better that it waits its turn.
            executor=dg.in_process_executor,
        )

    def _assets(self) -> dg.AssetsDefinition:
        specs = [
            dg.AssetSpec(
                key=_key(node),
                deps=[_key(self.nodes[parent]) for parent in _parents(node, self.nodes)],
                group_name=_group(node),
                description=node.get("description") or None,
                kinds={"dbt", "duckdb"},
            )
            for node in self.nodes.values()
        ]
        checks = [
            dg.AssetCheckSpec(name=node["name"], asset=_key(self.nodes[_tested(node, self.nodes)]))
            for node in self.tests.values()
        ]

        @dg.multi_asset(
            name="tiering_refresh", specs=specs, check_specs=checks, retry_policy=self.retries
        )
        def tiering_refresh(context: dg.AssetExecutionContext) -> Iterator[Any]:
            code, sentence = self._run(context, self.warehouse)
            results = _results(self.warehouse) if code in (ExitCode.OK, ExitCode.BUILD) else {}
            # an erasure removes the results, and only what passed is published
            without_results = {"status": "pass"} if code == ExitCode.OK and not results else None
            for unique_id, node in self.tests.items():
                if result := results.get(unique_id, without_results):
                    yield dg.AssetCheckResult(
                        check_name=node["name"],
                        asset_key=_key(self.nodes[_tested(node, self.nodes)]),
                        passed=result["status"] == "pass",
                        metadata={"message": result.get("message") or ""},
                    )
            if code != ExitCode.OK:
                raise dg.Failure(sentence, allow_retries=code not in FINAL)
            for unique_id, node in self.nodes.items():
                seconds = results.get(unique_id, {}).get("execution_time", 0.0)
                yield dg.MaterializeResult(asset_key=_key(node), metadata={"seconds": seconds})

        return tiering_refresh

    def _dated_publications(self) -> dg.AssetsDefinition:
        """A warehouse of its own for each date, as of it: readers of the daily one never go back."""

        @dg.asset(
            partitions_def=dg.DailyPartitionsDefinition(start_date=self.dated_from.isoformat()),
            group_name="dated",
            retry_policy=self.retries,
            kinds={"duckdb"},
        )
        def dated_publications(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
            """The warehouse as of a date, in the folder of that date below the warehouse's `as_of`."""
            day = context.partition_key
            folder = self.warehouse / DATED / day
            code, sentence = self._run(context, folder, "--as-of", day)
            if code != ExitCode.OK:
                raise dg.Failure(sentence, allow_retries=code not in FINAL)
            return dg.MaterializeResult(metadata={"publication": str(folder / PUBLICATION)})

        return dated_publications

    def _run(
        self, context: dg.AssetExecutionContext, warehouse: Path, *options: str
    ) -> tuple[int, str]:
        """Run the one command; gives its exit code and, of a failure, its sentence."""
        raw = ("--raw", self.raw) if self.raw else ()
        arguments = ("refresh", *raw, "--warehouse", str(warehouse), "--vars", self.vars, *options)
        finished = subprocess.run(
            [*self.command, *arguments], cwd=PROJECT, capture_output=True, text=True
        )
        context.log.info(finished.stdout)
        if finished.returncode == ExitCode.OK:
            return ExitCode.OK, ""
        lines = finished.stderr.strip().splitlines() or ["no word"]
        return finished.returncode, f"tiering exited {finished.returncode}: {lines[-1]}"

    def _groups(self) -> list[str]:
        return sorted({_group(node) for node in self.nodes.values()})


def _in_order(nodes: dict[str, Any]) -> dict[str, Any]:
    """Nodes so that each comes after those that it reads."""
    parents = {unique_id: _parents(node, nodes) for unique_id, node in nodes.items()}
    return {unique_id: nodes[unique_id] for unique_id in TopologicalSorter(parents).static_order()}


def _parents(node: dict[str, Any], nodes: dict[str, Any]) -> list[str]:
    return [p for p in node.get("depends_on", {}).get("nodes", []) if p in nodes]


def _key(node: dict[str, Any]) -> dg.AssetKey:
    return dg.AssetKey([node["schema"], node["alias"]])


def _group(node: dict[str, Any]) -> str:
    """The layer or, of marts and steps, the folder: core, tiers, ledger, ..."""
    folders = Path(node["original_file_path"]).parent.parts
    return folders[2] if len(folders) > 2 else folders[0]


def _tested(test: dict[str, Any], nodes: dict[str, Any]) -> str:
    """The asset that a test is about: the one it is attached to, else the first that it reads."""
    return test.get("attached_node") or next(iter(_parents(test, nodes)))


def _results(warehouse: Path) -> dict[str, dict[str, Any]]:
    """What became of each node in the run of dbt that has just ended; nothing when it left no results."""
    file = warehouse / "target" / "run_results.json"
    if not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8")
    return {result["unique_id"]: result for result in json.loads(text)["results"]}


def read_manifest(project: Path = PROJECT) -> dict[str, Any]:
    """The project's manifest: dbt's own file, made when it is not there (`dbt parse` renews it).

    Raises CalledProcessError when dbt cannot read the project.
    """
    manifest = project / "target" / "manifest.json"
    if not manifest.is_file():
        subprocess.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", "--quiet", "parse"),
                *("--project-dir", str(project), "--profiles-dir", str(project / "profiles")),
                *("--target-path", str(manifest.parent)),
            ],
            cwd=project,
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            check=True,
        )
    parsed: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    return parsed


def __getattr__(name: str) -> dg.Definitions:
    """`defs`, which Dagster asks for, is made when it does: importing the module reads nothing."""
    if name != "defs":
        raise AttributeError(name)
    return Schedule(read_manifest(), dict(os.environ)).definitions()
