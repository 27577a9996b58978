"""A finding about raw tables, and the line of a mapping that mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from customer_tiering.onboarding.profiling import forms_that_read
from customer_tiering.onboarding.rendering import Models
from customer_tiering.onboarding.sniffing import Sniffed
from customer_tiering.quoting import literal


@dataclass(frozen=True)
class Finding:
    """Something that a refresh would stop at, or reject, or leave out, and the line that mends it, where one does.

    `message` is the gate's where it speaks of it. Of a row it speaks of the first fault alone: `rows_in_all` are those that
    have this one too.
    """

    table: str
    finding: str
    message: str
    rows_at_fault: int
    rows: int
    stops: bool
    column: str | None = None
    reason: str | None = None
    line: str = ""
    rows_in_all: int = 0

    @property
    def cost(self) -> float:
        """The share of the table's rows that it costs; all of them where the table cannot be read."""
        return max(self.rows_at_fault, self.rows_in_all) / self.rows if self.rows else 1.0


def line_of_file(table: str, file: Path, folder: Path, form: Sniffed | None) -> str:
    """The lines of a mapping that read a file as it is written."""
    if form is None:
        return ""
    usual = Sniffed([])
    keys = ("encoding", "delimiter", "quote", "skip_lines")
    said = {key: getattr(form, key) for key in keys if getattr(form, key) != getattr(usual, key)}
    if said.get("encoding") == "utf-8-sig":  # is read as UTF-8
        del said["encoding"]
    if not said:
        return ""
    declared = yaml.safe_dump(
        {"files": str(file.relative_to(folder)), **said},
        default_flow_style=True,
        sort_keys=False,
        width=1000,
        allow_unicode=True,
    )
    return f"mapping.yml, sources: {table}: {declared.strip()}"


def line_of_rows(
    models: Models,
    declared: Mapping[str, Any],
    finding: str,
    column: str | None,
    reason: str | None,
    shown: str | None,
) -> str:
    """The line that mends a finding: of a mapping's SQL, or of mapping.yml; empty where nobody but the source can."""
    table = declared["name"]
    first_shown = (shown or "").partition(" (")[0]
    if finding == "undecided_duplicates":
        amount = declared["config"]["meta"].get("amount")
        return _line_of_lines(table, amount) if amount else f"{table}.sql: COLUMN as updated_at"
    if finding == "unknown_customers":
        return _line_of_spelling(models)
    if column is None:
        return ""
    if reason == "unreadable_value":
        forms = forms_that_read(models, table, declared["columns"][column])
        lines = [f"written_as({column}, {literal(form)}) as {column}" for form in forms]
        return f"{table}.sql: {', or '.join(lines)}" if lines else ""
    if reason == "not_allowed" and "words_of" in declared["columns"][column]["config"]["meta"]:
        return f"mapping.yml, words: {table}.{column}: {{{first_shown}: WORD}}, a word of the seed for each"
    if reason == "no_exchange_rate" and shown:
        return f"mapping.yml: reporting_currency: {first_shown}"
    return ""


def _line_of_lines(table: str, amount: str) -> str:
    """How rows that are lines become one row: their sum, if all of them can be read."""
    read_amounts = f"read_amount({amount})"
    return (
        f"{table}.sql: case when count(*) = count({read_amounts}) then sum({read_amounts}) end as {amount}, "
        "grouped by the key; or COLUMN as updated_at"
    )


def _line_of_spelling(models: Models) -> str:
    """How the ids of orders become those of customers, by the commonest difference between them."""
    found = models.connection.execute(
        "select matches_without from int_unknown_customers where matches_without is not null "
        "group by 1 order by count(*) desc, 1 limit 1"
    ).fetchall()
    if not found:
        return ""
    spelt = {
        "decimals": "regexp_replace(customer_id, '[.]0+$', '')",
        "blanks": "replace(customer_id, ' ', '')",
        "letter_case": "lower_case(customer_id)",
        "leading_zeros": "ltrim(customer_id, '0')",
    }[found[0][0]]
    return f"orders.sql and customers.sql: {spelt} as customer_id"
