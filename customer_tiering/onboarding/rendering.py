"""Models of the project without dbt: the same SQL, from the same macros, on any DuckDB connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import yaml
from jinja2 import Environment, Template

from customer_tiering.configuration import PACKAGE, Settings
from customer_tiering.quoting import literal

_ENVIRONMENT = Environment(extensions=["jinja2.ext.do"])
# Tags of dbt's own: what is in such a file, a run by dbt alone needs.
_OF_DBT = re.compile(r"\{%-?\s*(materialization|test|data_test|snapshot)\b")


@cache
def _compiled(text: str) -> CodeType:
    return _ENVIRONMENT.compile(text)


class _ReturnedError(Exception):
    """What `return` of a macro gives, on its way to the caller."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


class Models:
    """The models of a project, in a database that has the raw tables in its schema raw and the reading functions.

    `macros` are those of the project, `raw_tables` the declared ones as nodes of dbt's graph. Staging is views, as in dbt;
    without `has_views` it is tables, which is faster for few rows, as each reader of a view plans it anew.
    """

    def __init__(
        self, project: Path, settings: Settings, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self.connection = connection
        self.has_views = True
        self.raw_tables = read_raw_tables(project)
        self.macros = SimpleNamespace()
        self._files = {
            path.stem: path
            for folder, suffix in (("models", "sql"), ("seeds", "csv"))
            for path in (project / folder).rglob(f"*.{suffix}")
        }
        self._made: dict[str, str] = {}
        self._names: dict[str, Any] = {
            **_ENVIRONMENT.globals,  # such as range, which dbt's Jinja has too
            PACKAGE: self.macros,
            "adapter": SimpleNamespace(dispatch=self._dispatch),
            "execute": True,
            "graph": {"sources": {node["unique_id"]: node for node in self.raw_tables}},
            "modules": SimpleNamespace(re=re),
            "ref": self.make,
            "return": _return,
            "source": lambda schema, name: f"{schema if schema == 'builds' else 'raw'}.{name}",
        }
        for path in sorted((project / "macros").rglob("*.sql")):
            if "postgres" not in path.parts and not _OF_DBT.search(
                path.read_text(encoding="utf-8")
            ):
                self._load(path)
        self._name("setting", lambda name: _setting(settings, name))

    def make(self, name: str, columns: Sequence[str] = ()) -> str:
        """The relation of a model or a seed, which is made, after those that it reads, unless it is there.

        Where all that read it need only some of its columns, nothing else is stored.
        """
        if name not in self._made:
            path = self._files[name]
            kind = "view" if self.has_views and "staging" in path.parts else "table"
            query = self.query(name)
            if columns:
                query = f"select {', '.join(columns)} from ({query})"
            self.connection.execute(f"create {kind} {name} as {query}")
            self._made[name] = name
        return self._made[name]

    def query(self, name: str) -> str:
        """The SQL of a model or a seed, after those that it reads have been made."""
        path = self._files[name]
        if path.suffix == ".csv":
            return f"from read_csv({literal(path)}, all_varchar = true, header = true)"
        return self._template(path).render()

    def replace(self, name: str, relation: str) -> None:
        """Let a relation stand for a model in whatever is made from now on."""
        self._made[name] = relation

    @contextmanager
    def macro_as(self, name: str, function: Callable[..., Any]) -> Iterator[None]:
        """Let a function stand for a macro in whatever is rendered meanwhile."""
        macro = self._names[name]
        try:
            self._name(name, function)
            yield
        finally:
            self._name(name, macro)

    def _name(self, name: str, macro: Callable[..., Any]) -> None:
        """Models call a macro by its name, other macros by the package's."""
        self._names[name] = macro
        setattr(self.macros, name, macro)

    def _template(self, path: Path) -> Template:
        return Template.from_code(
            _ENVIRONMENT, _compiled(path.read_text(encoding="utf-8")), self._names
        )

    def _load(self, path: Path) -> None:
        for name, macro in vars(self._template(path).module).items():
            if not name.startswith("_"):
                self._name(name, _called(macro))

    def _dispatch(self, name: str, _package: str = "") -> Callable[..., Any]:
        names = self._names
        found: Callable[..., Any] = names.get(f"duckdb__{name}") or names[f"default__{name}"]
        return found


def read_raw_tables(project: Path) -> list[dict[str, Any]]:
    """The raw tables as the source YAML declares them, each as a node of dbt's graph; the required ones first."""
    nodes = [
        {
            **_with_meta(table),
            "columns": {column["name"]: _with_meta(column) for column in table["columns"]},
            "unique_id": f"source.{PACKAGE}.{source['name']}.{table['name']}",
            "package_name": PACKAGE,
            "source_name": source["name"],
        }
        for path in sorted((project / "models").rglob("*sources.yml"))
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]
        if "key" in table.get("config", {}).get("meta", {})
    ]
    return sorted(nodes, key=lambda node: not node["config"]["meta"].get("required"))


def _with_meta(declared: Mapping[str, Any]) -> dict[str, Any]:
    return {**declared, "config": {"meta": {}, **declared.get("config", {})}}


def _return(value: object) -> None:
    raise _ReturnedError(value)


def _called(macro: Callable[..., str]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _ReturnedError as returned:
            return returned.value

    return call


def _setting(settings: Settings, name: str) -> Any:
    """A var as dbt's macros have it; the run's date is that of today."""
    value = getattr(settings, name)
    if value == "today":
        value = datetime.now(UTC).astimezone(ZoneInfo(settings.business_time_zone)).date()
    return value.isoformat() if isinstance(value, date) else value
