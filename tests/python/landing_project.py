"""A small copy of the project: the real landing, staging and quality tables, and made-up marts.

Its refresh takes a third of the real one's time and reads raw files exactly as that does. It is made and
parsed once, for all test processes.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import yaml
from dbt_in_process import parse_for_others
from made_once import DBT_FILES, PROJECT, made_once
from test_cli import make_toy_project

QUALITY = ("reconciliation", "rejected_records", "source_coverage")
# What the end of a build notes, where the real models are not among the project's.
NOTED = {
    "int_fact_fingerprints": "select 'none' as fact_table, date '2025-01-31' as known_on, 1 as fingerprint",
    "int_ledger_fingerprints": "select 1 as customer_key, 1 as fingerprint",
    "int_as_of": "select date '2025-01-31' as as_of_date",
    "int_review_periods": "select 1 as period_index, false as is_kept",
}


def landing_project() -> Path:
    """The project; not to be changed."""
    sources = (*DBT_FILES, "tests/python/landing_project.py", "tests/python/test_cli.py")
    return made_once("landing", "project", sources, _make)


def _make(project: Path) -> None:
    """The toy project of test_cli, with the real models that quality tables are made of."""
    make_toy_project(project)
    settings = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    settings["models"] = {"customer_tiering": {"staging": {"+schema": "staging"}}}
    settings["models"]["customer_tiering"]["intermediate"] = {
        "+schema": "intermediate",
        "+materialized": "table",
    }
    settings["models"]["customer_tiering"]["quality"] = {
        "+schema": "quality",
        "+materialized": "table",
    }
    for key in ("snapshots", "data_tests", "flags"):
        settings.pop(key, None)
    settings["seeds"] = {"customer_tiering": {"+schema": "rules", "+quote_columns": False}}
    settings["seed-paths"] = ["built_seeds"]
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    shutil.rmtree(project / "macros")
    shutil.copytree(PROJECT / "macros", project / "macros")
    shutil.copytree(PROJECT / "tests" / "generic", project / "tests" / "generic")
    gate = Path("tests", "singular", "raw_tables_are_within_their_limits.sql")
    shutil.copy(PROJECT / gate, project / gate)
    models = project / "models"
    (models / "sources.yml").unlink()
    known = {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}
    wanted = {*QUALITY, *(path.stem for path in (PROJECT / "models" / "staging").rglob("*.sql"))}
    copied: set[str] = set()
    seeds: set[str] = set()
    while todo := wanted - copied:
        name = todo.pop()
        copied.add(name)
        text = known[name].read_text(encoding="utf-8")
        (models / f"{name}.sql").unlink(missing_ok=True)  # made up by the toy project
        folder = models / (
            "quality" if name in QUALITY else known[name].relative_to(PROJECT / "models").parts[0]
        )
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(known[name], folder)
        # some models name others in a list
        referred = set(re.findall(r"ref\('(\w+)'\)", text)) | set(re.findall(r"'(int_\w+)'", text))
        wanted |= referred & set(known)
        seeds |= referred - set(known)
    (models / "last_build.sql").unlink()
    for name, sql in NOTED.items():
        if name not in copied:
            (models / "intermediate" / f"{name}.sql").write_text(sql, encoding="utf-8")
    for path in (PROJECT / "models").rglob("*"):
        if path.name.endswith(("sources.yml", "builds.yml")) or path.suffix == ".md":
            shutil.copy(path, models / f"{path.parent.name}_{path.name}")
    (project / "built_seeds").mkdir()
    for seed in sorted(seeds):
        for suffix in ("csv", "yml"):
            shutil.copy(PROJECT / "seeds" / f"{seed}.{suffix}", project / "built_seeds")
    parse_for_others(project)
