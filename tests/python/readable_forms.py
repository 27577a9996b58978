"""The rows of readable_forms.csv, and what reads each kind of them in a database.

The values are worked out by hand. Of a timestamp it is the instant in UTC, where texts without a zone are in
Asia/Shanghai; an empty value is one that cannot be read. ``\\u00a0`` stands for a character that one cannot see.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

FORMS = Path(__file__).with_name("readable_forms.csv")
ZONE = "Asia/Shanghai"
# What reads each kind in the database: of a text, and of a text in a declared form.
FUNCTIONS = {
    "timestamp": ("read_timestamp(text, 'Asia/Shanghai')", "read_timestamp(text, 'Asia/Shanghai', '{}')"),
    "date": ("read_date(text)", "read_date(text, '{}')"),
    "amount": ("read_amount(text)", "read_amount(text, '{}')"),
    "whole_number": ("read_whole_number(text)", ""),
    "boolean": ("read_boolean(text)", ""),
    "id": ("read_id(text)", ""),
    "text": ("read_text(text)", ""),
    "currency": (
        "case when read_text(text) ~ '^[A-Za-z]{{3}}$' then upper(read_text(text)) end",
        "",
    ),
}  # fmt: skip


class Form(NamedTuple):
    """A row of the file, its escapes resolved."""

    reads: str
    text: str
    declared_form: str
    value: str


def forms() -> list[Form]:
    with FORMS.open(encoding="utf-8", newline="") as file:
        return [
            Form(**{name: shown(cell) for name, cell in row.items()})
            for row in csv.DictReader(file)
        ]


def functions_of(form: Form) -> list[tuple[str, str]]:
    """What reads a form, and of what: a declared one by the function that takes it, and plainly of what written_as makes of the text."""
    plain, declared = FUNCTIONS[form.reads]
    if not form.declared_form:
        return [(plain.format(), "raw.text")]
    name = form.declared_form.replace("'", "''")
    return [
        (declared.format(name), "raw.text"),
        (plain.format(), f"written_as(raw.text, '{name}')"),
    ]


def shown(cell: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), cell)
