"""The raw contract as a page: docs/raw-contract.md is written from the source YAML by ``make docs``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from customer_tiering.sources import declared_tables, meta

PAGE = "docs/raw-contract.md"

HEAD = """\
# The raw contract

The tables and columns that a raw folder or schema may have. Written by `make docs` from
models/staging/SYSTEM/SYSTEM__sources.yml: change it there. Columns with a star are required where the table is there.
Every other column, and every table that is not required, may be missing.

- Extra columns are ignored. A column that spells a name of the contract in another way (`Currency Code`) is refused.
- A table has one row per key. Of several rows with one key the newest `updated_at` stays, then the row with the
  newest event of its own, as named at each table. When neither decides, a warning says how many rows and what amount
  were left out.
- Order lines belong in order_items, not in orders, and credit notes in refunds, with the order that each takes back.
- How dates, numbers and ids are read: [reading](reading.md). What stops a refresh:
  [operations](operations.md#what-stops-a-refresh-for-its-raw-tables).
"""


def raw_contract(project: Path) -> str:
    """The page, as Markdown."""
    blocks = {
        name: text
        for path in sorted((project / "models").rglob("*.md"))
        for name, text in re.findall(
            r"{% docs (\w+) %}(.*?){% enddocs %}", path.read_text(encoding="utf-8"), re.DOTALL
        )
    }
    tables = [table for table in declared_tables(project) if "key" in meta(table)]
    tables.sort(key=lambda table: not meta(table).get("required", False))
    return HEAD + "".join(f"\n{line}\n" for table in tables for line in _table(table, blocks))


def _table(table: dict[str, Any], blocks: dict[str, str]) -> Iterator[str]:
    facts = meta(table)
    yield f"## {table['name']}{' (required)' if facts.get('required') else ''}"
    yield _text(table, blocks)
    yield f"Key: {', '.join(facts['key'])}.{_newest(facts)}"
    yield "\n".join(
        [
            "| column | type | what it means |",
            "|---|---|---|",
            *(
                f"| {column['name']}{'*' if meta(column).get('required') else ''} "
                f"| {column['data_type']} | {_text(column, blocks)} |"
                for column in table["columns"]
            ),
        ]
    )


def _newest(facts: dict[str, Any]) -> str:
    ways = [f"`{facts['newest_by']}`"] if "newest_by" in facts else []
    if events := facts.get("event_times"):
        times = " and ".join(f"`{time}`" for time in events)
        ways.append(f"the newest of {times}" if len(events) > 1 else times)
    return f" The newest row by {', then by '.join(ways)} stays." if ways else ""


def _text(described: dict[str, Any], blocks: dict[str, str]) -> str:
    text = re.sub(r"{{ doc\('(\w+)'\) }}", lambda found: blocks[found[1]], described["description"])
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(PAGE).write_text(raw_contract(Path()), encoding="utf-8")
