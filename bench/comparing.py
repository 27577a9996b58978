"""Compare what the hand-written script computes with what a refresh has published, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from customer_tiering.quoting import literal

# By the script's table: what is published, the columns by which rows are known, and what both must
# agree on, with the type in which it is compared.
COMPARED = {
    "history": (
        "(select * replace (coalesce(tier_rank, 0) as tier_rank) "
        "from publication.marts.customer_periods)",
        {"customer_id": "varchar", "period_end": "date"},
        {
            "recency_days": "integer",
            "frequency": "integer",
            "monetary": "decimal(18, 2)",
            "r_score": "integer",
            "f_score": "integer",
            "m_score": "integer",
            "value_score": "decimal(11, 8)",
            "growth_score": "decimal(11, 8)",
            "loyalty_score": "decimal(11, 8)",
            "satisfaction_score": "decimal(11, 8)",
            "engagement_score": "decimal(11, 8)",
            "partnership_score": "decimal(11, 8)",
            "management_score": "decimal(18, 14)",
            "tier_rank": "integer",
            "change_type": "varchar",
            "segment_code": "varchar",
            "lifecycle_stage": "varchar",
        },
    ),
    "alerts": (
        "publication.marts.customer_alerts",
        {"customer_id": "varchar", "alert_code": "varchar", "raised_on": "date"},
        {
            "severity": "varchar",
            "recommended_action_code": "varchar",
            "value_now": "decimal(18, 2)",
            "value_before": "decimal(18, 2)",
            "is_open": "boolean",
            "resolved_on": "date",
        },
    ),
    "actions": (
        "publication.marts.customer_actions",
        {"customer_id": "varchar", "action_code": "varchar"},
        {
            "owner_department": "varchar",
            "channel": "varchar",
            "offer": "varchar",
            "stance": "varchar",
            "priority": "integer",
            "is_marketing": "boolean",
            "is_contactable": "boolean",
            "due_on": "date",
            "last_contact_on": "date",
        },
    ),
}


@dataclass(frozen=True)
class Comparison:
    """The script's rows by table, and how many differ by table and column; none when both agree.

    "only in the script" and "only in the refresh" count rows that the other side lacks.
    """

    rows: dict[str, int]
    differences: dict[str, int]


def compare(script: Path, publication: Path) -> Comparison:
    """Compare the script's database with a publication."""
    rows, differences = {}, {}
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(script.with_suffix('.tmp'))}")
        connection.execute(f"attach {literal(script)} as script (read_only)")
        connection.execute(f"attach {literal(publication)} as publication (read_only)")
        for table, (published, keys, columns) in COMPARED.items():
            rows[table], found = _compare_table(connection, table, published, keys, columns)
            differences |= {f"{table}: {name}": count for name, count in found.items() if count}
    return Comparison(rows, differences)


def _compare_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    published: str,
    keys: dict[str, str],
    columns: dict[str, str],
) -> tuple[int, dict[str, int]]:
    """The script's rows of a table, and the rows that differ by column."""
    listed = ", ".join(f"{name}::{kind} as {name}" for name, kind in {**keys, **columns}.items())
    sides = [f"(select {listed} from {source})" for source in (f"script.{table}", published)]
    fingerprints = [
        connection.execute(f"select count(*), sum(hash(side)) from {side} as side").fetchone()
        for side in sides
    ]
    rows = fingerprints[0][0]
    if fingerprints[0] == fingerprints[1]:
        return rows, {}
    key = next(iter(keys))
    tests = {
        "only in the script": f"b.{key} is null",
        "only in the refresh": f"a.{key} is null",
        **{
            name: f"a.{key} is not null and b.{key} is not null and a.{name} is distinct from b.{name}"
            for name in columns
        },
    }
    counts = connection.execute(
        f"select {', '.join(f'count(*) filter (where {test})' for test in tests.values())} "
        f"from {sides[0]} as a full outer join {sides[1]} as b "
        f"on {' and '.join(f'a.{name} = b.{name}' for name in keys)}"
    ).fetchone()
    return rows, dict(zip(tests, counts, strict=True))
