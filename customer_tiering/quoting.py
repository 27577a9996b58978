"""Texts and names as they stand in SQL."""

from __future__ import annotations

from pathlib import Path


def literal(text: Path | str) -> str:
    """A text in single quotes."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in double quotes, such as that of a column."""
    return '"' + name.replace('"', '""') + '"'
