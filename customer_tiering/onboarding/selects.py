"""A SQL file of a mapping: one select, with comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader

WIDTH = 92  # of a comment
PLACE_OF_ROW = ("source_file", "source_line")


class Item(NamedTuple):
    """A column of a select: its expression, its name, and comments that go before it."""

    sql: str
    name: str
    notes: Sequence[str] = ()

    def written(self, is_named: object = False) -> str:
        """The item as it stands in a select list; by its name alone where an inner select has made it."""
        return self.name if is_named or self.sql == self.name else f"{self.sql} as {self.name}"


class Newest(NamedTuple):
    """Of rows with one key only the first in this order."""

    key: str
    order: Sequence[str]


@dataclass
class Select:
    """A SQL file of a mapping."""

    source: str
    items: list[Item]
    head: list[str] = field(default_factory=list)
    where: str = ""
    group_by: str = ""
    newest: Newest | None = None

    def text(self) -> str:
        """The file."""
        return templates().get_template("select.sql.j2").render(vars(self)).rstrip() + "\n"


def templates() -> Environment:
    """The templates of a mapping's files."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


def _wrapped(comments: list[str]) -> list[str]:
    """Comments of at most a line's width each; a question stays on one line, as a refusal quotes it."""
    return [
        line
        for comment in comments
        for line in (
            [" ".join(comment.split())]
            if comment.startswith("ASK:")
            else textwrap.wrap(comment, WIDTH)
        )
    ]


def not_used(header: Iterable[str], items: Sequence[Item], where: str = "") -> list[str]:
    """The comment that lists the columns of an export that a select does not read; none where it reads all."""
    read = " ".join([*(item.sql for item in items), where])
    unused = [name for name in header if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", read)]
    return [f"Not used: {', '.join(unused)}."] if unused else []


def named(*names: str) -> list[Item]:
    """Columns that are passed on under their names."""
    return [Item(name, name) for name in names]


def place() -> list[Item]:
    """Where a row stands in its file."""
    return named(*PLACE_OF_ROW)
