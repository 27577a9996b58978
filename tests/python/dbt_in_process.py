"""dbt in the process of the tests, which saves its start; the project parsed once, and its models compiled.

They are compiled for any vars from what was parsed once, as no model's configuration depends on a var. What
was parsed and compiled is kept for all test processes (made_once).
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import pprint
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import yaml
from made_once import DBT_FILES, PROJECT, made_once

PARTIAL_PARSE = "partial_parse.msgpack"
CONNECTION = "connection.pickle"


@cache
def manifest() -> dict[str, Any]:
    """What `dbt parse` writes of the project; a deprecation is an error. Not to be changed."""
    return json.loads((_parsed() / "target" / "manifest.json").read_text(encoding="utf-8"))


def semantic_manifest() -> str:
    """The metrics that `dbt parse` writes for MetricFlow."""
    return (_parsed() / "target" / "semantic_manifest.json").read_text(encoding="utf-8")


def compiled_code(project_vars: Mapping[str, object], *, goes_on: bool = False) -> dict[str, str]:
    """The SQL of every model for some vars by relation, and of every analysis by name.

    With ``goes_on`` it is that of the incremental models alone, by which they go on from what is there.
    A var that is given as its default is as good as not given.
    """
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    defaults = project["vars"]["customer_tiering"]
    given = {
        name: value
        for name, value in sorted(project_vars.items())
        if (type(value), value) != (type(defaults.get(name)), defaults.get(name))
    }

    def compile_for(folder: Path) -> None:
        selected = "resource_type:model resource_type:analysis"
        if goes_on:
            _pretend_that_there_are_incremental_models(folder)
            selected = "config.materialized:incremental"
        results = dbt(
            folder,
            *("compile", "--select", selected, "--indirect-selection", "empty", "--no-write-json"),
            *("--vars", json.dumps(given)),
            parsed=parsed_project(),
        ).results
        code = {row.node.relation_name or row.node.name: row.node.compiled_code for row in results}
        (folder / "code.json").write_text(json.dumps(code), encoding="utf-8")

    name = hashlib.sha256(json.dumps([given, goes_on]).encode()).hexdigest()[:16]
    folder = made_once("compiled", name, DBT_FILES, compile_for)
    return json.loads((folder / "code.json").read_text(encoding="utf-8"))


def compiled_tests(project_vars: Mapping[str, object]) -> dict[str, str]:
    """The SQL of every data test by unique id, for some vars."""

    def compile_for(folder: Path) -> None:
        results = dbt(
            folder,
            *("compile", "--select", "resource_type:test", "--no-write-json"),
            *("--vars", json.dumps(project_vars)),
            parsed=parsed_project(),
        ).results
        code = {row.node.unique_id: row.node.compiled_code for row in results}
        (folder / "code.json").write_text(json.dumps(code), encoding="utf-8")

    name = hashlib.sha256(json.dumps(["tests", project_vars]).encode()).hexdigest()[:16]
    folder = made_once("compiled", name, DBT_FILES, compile_for)
    return json.loads((folder / "code.json").read_text(encoding="utf-8"))


def _parsed() -> Path:
    """A folder with the parsed project: target/manifest.json, and what dbt itself goes on from."""

    def parse(folder: Path) -> None:
        parsed = dbt(
            folder,
            *("parse", "--no-partial-parse", "--show-all-deprecations"),
            *("--warn-error-options", '{"error": ["Deprecations"]}'),
        )
        (folder / "manifest.pickle").write_bytes(pickle.dumps(parsed))
        _note_connection(folder)

    return made_once("compiled", "parsed", DBT_FILES, parse)


def parsed_project() -> object:
    """The parsed project, for one dbt command to go on from."""
    return pickle.loads((_parsed() / "manifest.pickle").read_bytes())


def parse_for_others(project: Path) -> None:
    """Parse a project into its own target folder, for ``lay_parsed``."""
    dbt(project, "parse", project=project)
    _note_connection(project)


def _note_connection(folder: Path) -> None:
    """Note what dbt has just parsed knew of its database."""
    from dbt.adapters.factory import FACTORY

    (adapter,) = FACTORY.adapters.values()
    known = dict(adapter.config.credentials.connection_info())
    (folder / "target" / CONNECTION).write_bytes(pickle.dumps(known))


def lay_parsed(
    warehouse: Path, project_vars: Mapping[str, object], project: Path = PROJECT
) -> None:
    """Let the next dbt process on a warehouse find the project parsed.

    dbt parses anew what it had parsed for other vars or another database; no model's configuration depends
    on them. A project that is not the real one must have been parsed by ``parse_for_others``.
    """
    parsed = (_parsed() if project == PROJECT else project) / "target"
    content = (parsed / PARTIAL_PARSE).read_bytes()
    connection = pickle.loads((parsed / CONNECTION).read_bytes())
    path = str(warehouse.resolve() / "work.duckdb")
    for known, wanted in (
        (_vars_digest({}), _vars_digest(project_vars)),
        (
            _digest(sorted(connection.items())),
            _digest(sorted((connection | {"path": path}).items())),
        ),
    ):
        assert known in content
        content = content.replace(known, wanted)
    (warehouse / "target").mkdir(parents=True, exist_ok=True)
    (warehouse / "target" / PARTIAL_PARSE).write_bytes(content)


def _vars_digest(project_vars: Mapping[str, object]) -> bytes:
    parts = (pprint.pformat(dict(project_vars)), "customer_tiering", "duckdb", version("dbt-core"))
    return _digest("\0".join(parts))


def _digest(content: object) -> bytes:
    """What dbt keeps of something to tell whether it is another one."""
    text = content if isinstance(content, str) else pprint.pformat(content)
    return hashlib.sha256(text.encode()).hexdigest().encode()


def dbt(warehouse: Path, *arguments: str, project: Path = PROJECT, parsed: object = None) -> Any:
    """What a dbt command gives; all that it writes goes to ``warehouse``.

    Raises RuntimeError with dbt's own words when it fails.
    """
    # It takes seconds to import, and most processes find all compiled.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with _environment(TIERING_WAREHOUSE=str(warehouse), DBT_SEND_ANONYMOUS_USAGE_STATS="false"):
        ended = dbtRunner(manifest=parsed).invoke(
            [
                *("--quiet", "--log-level-file", "none", *arguments),
                *("--project-dir", str(project), "--profiles-dir", str(project / "profiles")),
                *("--target-path", str(warehouse / "target"), "--log-path", str(warehouse)),
            ]
        )
    DuckDBConnectionManager.close_all_connections()  # it would keep the database for this process
    if not ended.success:
        rows = getattr(ended.result, "results", [])
        said = ended.exception or [row.message for row in rows if row.message]
        raise RuntimeError(f"dbt {arguments[0]} failed: {said}")
    return ended.result


def _pretend_that_there_are_incremental_models(warehouse: Path) -> None:
    """Tables by their names: dbt looks no further to say that a model goes on from what is there."""
    with duckdb.connect(str(warehouse / "work.duckdb")) as connection:
        for node in manifest()["nodes"].values():
            if node["config"].get("materialized") == "incremental":
                connection.execute(f"create schema if not exists {node['schema']}")
                connection.execute(f"create table {node['relation_name']} (stub integer)")


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
