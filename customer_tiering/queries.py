"""The queries of customer_tiering/sql, by name; each says with `$name` which values it takes."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"


def query(name: str) -> str:
    """The text of a query."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
