"""Texts and names as they stand in SQL, and commands as they stand in a shell."""

from __future__ import annotations

import shlex
from pathlib import Path


def literal(text: Path | str) -> str:
    """A text in single quotes."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name in double quotes, such as that of a column."""
    return '"' + name.replace('"', '""') + '"'


def command_line(*words: Path | str) -> str:
    """The line that runs `tiering` in the project's folder, whatever signs are in its words."""
    return shlex.join([".venv/bin/tiering", *map(str, words)])
