"""The macros of macros/engines, rendered for an engine without dbt."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment
from made_once import PROJECT

# Macros that models have their expressions from; others speak to the database.
FILES = ("dates", "numbers", "queries", "reading", "texts", "types")


class EngineMacros:
    """The text of each macro, as it is rendered for an engine: ``macros.rounded('x', 2)``."""

    def __init__(self, engine: str) -> None:
        folder = PROJECT / "macros/engines"
        paths = [base / f"{name}.sql" for base in (folder, folder / engine) for name in FILES]
        text = "".join(path.read_text(encoding="utf-8") for path in paths if path.exists())
        environment = Environment(extensions=["jinja2.ext.do"])

        def dispatch(name: str, _package: str) -> Callable[..., str]:
            return getattr(self._macros, f"{engine}__{name}", None) or getattr(
                self._macros, f"default__{name}"
            )

        environment.globals.update({
            "adapter": SimpleNamespace(dispatch=dispatch),
            "return": lambda value: value,
        })  # fmt: skip
        environment.globals["customer_tiering"] = self
        self._macros = environment.from_string(text).module

    def __getattr__(self, name: str) -> Any:
        def text(*arguments: object) -> str:
            return str(getattr(self._macros, name)(*arguments)).strip()

        return text
