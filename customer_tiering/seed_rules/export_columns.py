"""What the columns of an export layout must be together: one key, and names that the receiver takes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml

from customer_tiering.seed_rules.findings import Findings, finding, grouped, raise_found
from customer_tiering.seeds import CHANGE, PERSONAL_SOURCES, ExportColumn, did_you_mean

ZOHO = "zoho"
MOST_ZOHO_COLUMNS = 200  # of a file of Zoho CRM's bulk write
_PROFILES = Path(__file__).parents[2] / "models/marts/retention/customer_profiles.yml"


@cache
def export_sources() -> tuple[str, ...]:
    """What an export can hold, customer by customer: the profile, how it has changed, contacts."""
    (profiles,) = yaml.safe_load(_PROFILES.read_text(encoding="utf-8"))["models"]
    return (*(column["name"] for column in profiles["columns"]), CHANGE, *PERSONAL_SOURCES)


def layout_family(layout: str) -> str:
    """What a layout is made for: its name up to the first _, so zoho for zoho_accounts."""
    return layout.partition("_")[0]


def check_export_columns(columns: list[ExportColumn]) -> None:
    """Check the layouts alone. Raises as check_seeds does."""
    raise_found(export_column_findings(columns))


def export_column_findings(columns: list[ExportColumn]) -> Findings:
    """Every layout has one key, the customer, and says of each column whether it is personal."""
    for row in columns:
        if row.source_column not in export_sources():
            hint = did_you_mean(row.source_column, export_sources())
            found = f"source_column {row.source_column!r}{hint}"
            yield finding("export_columns", row, found, f"one of {', '.join(export_sources())}")
            continue
        personal = "true" if row.source_column in PERSONAL_SOURCES else "false"
        if row.is_personal != personal:
            found = f"is_personal {row.is_personal} for {row.source_column}"
            yield finding("export_columns", row, found, personal)
        if row.is_key == "true" and row.source_column != "customer_id":
            found = f"{row.source_column} as the key of layout {row.layout}"
            yield finding(
                "export_columns", row, found, "customer_id alone, as it names one customer"
            )
    for (layout,), rows in grouped(columns, "layout").items():
        yield from _layout_findings(layout, rows)


def _layout_findings(layout: str, rows: list[ExportColumn]) -> Findings:
    for column in ("position", "source_column", "target_name"):
        seen: dict[str, ExportColumn] = {}
        for row in rows:
            value = str(getattr(row, column))
            if (first := seen.setdefault(value.lower(), row)) is not row:
                found = (
                    f"{column} {value!r} of layout {layout} again (line {first.line} has it too)"
                )
                yield finding("export_columns", row, found, f"each {column} once in a layout")
    if not any(row.is_key == "true" for row in rows):
        allowed = "exactly one column with is_key true, that of customer_id"
        yield finding("export_columns", rows, f"layout {layout} without a key", allowed)
    if layout_family(layout) == ZOHO:
        yield from zoho_findings(layout, rows)


def zoho_findings(layout: str, rows: list[ExportColumn]) -> Findings:
    """Zoho CRM's bulk write takes so many columns, named as its fields."""
    if len(rows) > MOST_ZOHO_COLUMNS:
        found = f"{len(rows)} columns in layout {layout}"
        yield finding(
            "export_columns", rows, found, f"at most {MOST_ZOHO_COLUMNS} in a file for Zoho CRM"
        )
    for row in rows:
        name = r"[A-Za-z][A-Za-z0-9_]*"
        if not re.fullmatch(rf"{name}(\.{name})?", row.target_name):
            found = f"target_name {row.target_name!r} in layout {layout}"
            allowed = "the API name of a field of Zoho CRM: letters, digits and _, a letter first"
            yield finding("export_columns", row, found, allowed)
