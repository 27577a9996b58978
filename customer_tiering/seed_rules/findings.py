"""What is found wrong with the rows of a seed, and what the checks of several seeds share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from customer_tiering.errors import BrokenRulesError, ConfigurationError
from customer_tiering.seeds import Row, SeedRow

Findings = Iterator[ConfigurationError]


def raise_found(findings: Findings) -> None:
    found = list(findings)
    if len(found) == 1:
        raise found[0]
    if found:
        raise BrokenRulesError(found)


def finding(
    seed: str, rows: SeedRow | Sequence[SeedRow] | None, found: str, allowed: str
) -> ConfigurationError:
    """What is wrong with a row, or with the lines that a group of rows spans, or with the file."""
    where = f"seeds/{seed}.csv"
    if isinstance(rows, SeedRow):
        where += f", line {rows.line}"
    elif rows:
        first, last = min(row.line for row in rows), max(row.line for row in rows)
        where += f", line {first}" if first == last else f", lines {first} to {last}"
    return ConfigurationError(where, found, allowed)


def grouped(rows: Iterable[Row], *columns: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(getattr(row, column) for column in columns)].append(row)
    return dict(groups)


def unique_findings(seed: str, rows: list[Row], column: str) -> Findings:
    """Each value of a column once, whatever its case."""
    seen: dict[str, SeedRow] = {}
    for row in rows:
        value = str(getattr(row, column))
        if (first := seen.setdefault(value.lower(), row)) is not row:
            found = f"{column} {value!r} again (it is on line {first.line} too)"
            yield finding(seed, row, found, f"each {column} once, whatever its case")
